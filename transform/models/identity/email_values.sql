{{ config(materialized='incremental', incremental_strategy='append') }}

with seen as (
    select distinct raw
    from {{ ref('observed_identifiers') }}
    where kind = 'email'
),

final as (
    select
        raw,
        case when email_is_placeholder(raw) then null else normalise_email(raw) end as email,
        coalesce(email_is_role(raw), false) as is_role
    from seen
    where true {{ not_yet_known(['raw']) }}
)

select * from final
