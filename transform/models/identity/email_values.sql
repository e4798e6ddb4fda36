{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook="{{ forget_values_read_otherwise() }}"
) }}
-- depends_on: {{ ref('identity_run') }}

with seen as (
    select distinct raw
    from {{ ref('observed_identifiers') }}
    where kind = 'email'
),

read as (
    select
        raw,
        read_email(raw) as email
    from seen
    where true {{ not_yet_known(['raw']) }}
),

final as (
    select
        read.raw,
        case when not read.email.is_placeholder then read.email.address end as email,
        coalesce(read.email.is_role, false) as is_role
    from read
)

select * from final
