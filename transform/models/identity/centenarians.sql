with young as (
    {{ codes_of_either_century() }}
),

final as (
    select distinct young.canonical
    from {{ ref('person_observed') }} as persons
    inner join young on persons.tax_code = young.raw and persons.birth_date = young.early_birth_date
    left join {{ ref('placeholder_dates') }} as placeholders on persons.birth_date = placeholders.birth_date
    where placeholders.birth_date is null
)

select * from final
