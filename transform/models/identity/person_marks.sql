{{ config(materialized='view') }}

with persons as (
    select * from {{ ref('person_records') }}
    where {{ is_somebody() }}
),

final as (
    select
        record,
        tax_code_canonical as tax_code,
        birth_date::string as birth_date,
        sex,
        case when coalesce(first_key, last_key) is not null then concat(first_key, '|', last_key) end as name
    from persons
)

select * from final
