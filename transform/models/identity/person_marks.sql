{{ config(materialized='view') }}

with persons as (
    select * from {{ ref('person_records') }}
    where first_key is not null and last_key is not null
),

final as (
    select
        record,
        tax_code_canonical as tax_code,
        birth_date::string as birth_date,
        sex,
        first_key || '|' || last_key as name
    from persons
)

select * from final
