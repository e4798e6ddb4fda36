{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook="{{ forget_values_read_otherwise() }}"
) }}
-- depends_on: {{ ref('identity_run') }}

with seen as (
    select distinct street as raw
    from {{ ref('person_observed') }}
    where street is not null
),

final as (
    select
        raw,
        null_like(raw) as street,
        street_key(raw) as street_key
    from seen
    where true {{ not_yet_known(['raw']) }}
)

select * from final
