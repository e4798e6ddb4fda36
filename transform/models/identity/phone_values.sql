{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook="{{ forget_values_read_otherwise() }}"
) }}
-- depends_on: {{ ref('identity_run') }}

with seen as (
    select distinct
        raw,
        country
    from {{ ref('observed_identifiers') }}
    where kind = 'phone'
),

read as (
    select
        raw,
        country,
        read_phone(raw, country) as phone
    from seen
    where true {{ not_yet_known(['raw', 'country']) }}
),

final as (
    select
        read.raw,
        read.country,
        case when not read.phone.is_placeholder then read.phone.number end as phone,
        read.phone.kind as phone_kind
    from read
)

select * from final
