with persons as (
    select
        record,
        first_key,
        last_key,
        coalesce(tax_code_birth_date, birth_date) as birth_date,
        birth_date as stated_birth_date,
        tax_code_canonical as tax_code,
        street_key || '|' || postcode as home,
        cast(observed_at as date) as seen_on
    from {{ ref('person_records') }}
    where first_key is not null and last_key is not null
),

final as (
    select
        *,
        first_key || '|' || last_key || '|' || coalesce(birth_date::string, '') || '|'
        || coalesce(stated_birth_date::string, '') || '|' || coalesce(tax_code, '') as look
    from persons
)

select * from final
