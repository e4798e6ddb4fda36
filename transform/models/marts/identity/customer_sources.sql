with records as (
    select * from {{ ref('record_clusters') }}
),

customers as (
    select * from {{ ref('customer_ids') }}
),

final as (
    select
        records.source,
        records.stream,
        records.record_key,
        customers.customer_id,
        records.observed_at
    from records
    inner join customers on records.record = customers.record
)

select * from final
