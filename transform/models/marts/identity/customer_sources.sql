{{ config(materialized='view') }}

with final as (
    select
        records.source,
        records.stream,
        records.record_key,
        customers.customer_id,
        records.observed_at,
        records.joined_by
    from {{ ref('record_clusters') }} as records
    inner join {{ ref('customer_ids') }} as customers on records.record = customers.record
)

select * from final
