{{ config(materialized='view') }}

with persons as (
    select * from {{ ref('person_records') }}
    where {{ is_somebody() }}
),

final as (
    select
        record,
        tax_code_canonical as tax_code,
        -- a code alone never says that somebody is over a hundred: some record of it did
        case
            when {{ years_after('tax_code_birth_date', 100) }} <= {{ today() }} then tax_code_birth_date
            else birth_date
        end::string as birth_date,
        sex,
        case when coalesce(first_key, last_key) is not null then concat(first_key, '|', last_key) end as name
    from persons
)

select * from final
