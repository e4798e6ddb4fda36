{{ config(materialized='incremental', incremental_strategy='append') }}

with seen as (
    select distinct raw
    from {{ ref('observed_identifiers') }}
    where kind = 'tax_code'
),

final as (
    select
        raw,
        normalise_tax_code(raw) as tax_code,
        tax_code_canonical(raw) as canonical,
        cast(tax_code_birth_date(raw) as date) as birth_date,
        tax_code_sex(raw) as sex
    from seen
    where true {{ not_yet_known(['raw']) }}
)

select * from final
