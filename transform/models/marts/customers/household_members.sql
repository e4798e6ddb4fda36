with households as (
    select * from {{ ref('household_ids') }}
),

addresses as (
    select * from {{ ref('customer_addresses') }}
),

final as (
    select
        households.customer_id as household_id,
        households.record as customer_id,
        addresses.last_name,
        addresses.postcode
    from households
    left join addresses on households.record = addresses.customer_id
)

select * from final
