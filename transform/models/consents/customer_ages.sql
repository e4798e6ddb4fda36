-- the youngest that any witness makes a customer; a child is at most as old as the day on which it was called one
with born as (
    select
        record,
        coalesce(tax_code_birth_date, birth_date) as born_on
    from {{ ref('person_records') }}

    union all

    select
        record,
        birth_date as born_on
    from {{ ref('person_records') }}

    union all

    select
        {{ person_record() }} as record,
        coalesce(cast(observed_at as date), {{ today() }}) as born_on
    from {{ ref('attribute_observed') }}
    where
        (attribute = 'age_group' and lower(trim(value)) in ('child', 'minor'))
        or (attribute = 'is_minor' and lower(trim(value)) in ('yes', 'true', '1', 's', 'si', 'sì', 'y'))
),

final as (
    select
        customers.customer_id,
        max(least(born.born_on, {{ today() }})) as born_on
    from born
    inner join {{ ref('customer_ids') }} as customers on born.record = customers.record
    where born.born_on is not null
    group by customers.customer_id
)

select * from final
