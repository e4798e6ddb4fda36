{{ config(materialized='view') }}

with final as (
    select
        record,
        customer_id
    from {{ ref('customer_assignment') }}
    where event is null
)

select * from final
