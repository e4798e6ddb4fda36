{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='sync_all_columns',
    pre_hook="{{ forget_values_read_otherwise() }}"
) }}
-- depends_on: {{ ref('identity_run') }}

with seen as (
    select distinct raw
    from {{ ref('observed_identifiers') }}
    where kind = 'tax_code'
),

read as (
    select
        raw,
        read_tax_code(raw) as said
    from seen
    where true {{ not_yet_known(['raw']) }}
),

final as (
    select
        read.raw,
        read.said.code as tax_code,
        read.said.canonical,
        read.said.late_birth_date,
        read.said.early_birth_date,
        read.said.sex
    from read
)

select * from final
