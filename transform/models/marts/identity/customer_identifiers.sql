{{ config(materialized='view') }}

with final as (
    select
        customers.customer_id,
        identifiers.kind,
        identifiers.value,
        count(*) as records
    from {{ ref('usable_identifiers') }} as identifiers
    inner join {{ ref('customer_ids') }} as customers on identifiers.record = customers.record
    group by customers.customer_id, identifiers.kind, identifiers.value
)

select * from final
