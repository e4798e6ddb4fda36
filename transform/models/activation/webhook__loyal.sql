with audience as (
    {{ audience('loyal') }}
),

purchased as (
    {{ permitted_purchases() }}
),

households as (
    select
        customer_id,
        household_id
    from {{ ref('household_members') }}
),

final as (
    select
        audience.customer_id,
        'loyal' as segment,
        audience.reason,
        coalesce(purchased.orders, 0)::bigint as orders,
        coalesce(purchased.revenue, 0)::decimal(18, 2) as revenue,
        purchased.last_order_on,
        households.household_id
    from audience
    left join purchased on audience.customer_id = purchased.customer_id
    left join households on audience.customer_id = households.customer_id
)

select * from final
