{{ config(materialized='incremental', incremental_strategy='append') }}

with seen as (
    select distinct
        raw,
        country
    from {{ ref('observed_identifiers') }}
    where kind = 'phone'
),

normalised as (
    select
        raw,
        country,
        normalise_phone(raw, country) as phone
    from seen
    where true {{ not_yet_known(['raw', 'country']) }}
),

final as (
    select
        raw,
        country,
        case when phone_is_placeholder(phone) then null else phone end as phone,
        phone_kind(phone) as phone_kind
    from normalised
)

select * from final
