with identifiers as (
    select * from {{ ref('usable_identifiers') }}
),

customers as (
    select * from {{ ref('customer_ids') }}
),

final as (
    select
        customers.customer_id,
        identifiers.kind,
        identifiers.value,
        count(*) as records
    from identifiers
    inner join customers on identifiers.record = customers.record
    group by customers.customer_id, identifiers.kind, identifiers.value
)

select * from final
