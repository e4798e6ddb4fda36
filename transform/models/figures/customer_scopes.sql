{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook='{{ forget_changed_customers() }}'
) }}

-- depends_on: {{ ref('golden_run') }}
with seen as (
    select
        customers.customer_id,
        records.source,
        count(*) as records,
        min(records.first_seen) as first_seen_at,
        max(records.observed_at) as last_seen_at
    from {{ ref('record_clusters') }} as records
    inner join {{ ref('customer_ids') }} as customers on records.record = customers.record
    where customers.customer_id in (select changed.customer_id from {{ ref('changed_customers') }} as changed)
    group by customers.customer_id, records.source
),

final as (
    select
        seen.customer_id,
        purposes.purpose,
        bit_or(purposes.source_bit) as scope,
        sum(seen.records)::bigint as records,
        count(*) as sources,
        min(seen.first_seen_at) as first_seen_at,
        max(seen.last_seen_at) as last_seen_at
    from seen
    inner join {{ ref('source_purposes') }} as purposes on seen.source = purposes.source
    group by seen.customer_id, purposes.purpose
)

select * from final
