with final as (
    select
        households.customer_id as household_id,
        households.record as customer_id,
        addresses.last_name,
        addresses.postcode
    from {{ ref('household_ids') }} as households
    left join {{ ref('customer_addresses') }} as addresses on households.record = addresses.customer_id
)

select * from final
