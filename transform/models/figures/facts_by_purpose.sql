with purposes as (
    select * from {{ ref('source_purposes') }}
),

ordered as (
    select
        orders.customer_id,
        purposes.purpose,
        count(*) as orders,
        sum(orders.net) as revenue,
        max(cast(orders.ordered_at as date)) as last_order_on
    from {{ ref('orders') }} as orders
    inner join purposes on orders.source = purposes.source
    where orders.is_counted and orders.customer_id is not null
    group by orders.customer_id, purposes.purpose
),

moved as (
    select
        movements.customer_id,
        purposes.purpose,
        sum(movements.points) as loyalty_points
    from {{ ref('card_movements') }} as movements
    inner join purposes on movements.source = purposes.source
    where movements.customer_id is not null
    group by movements.customer_id, purposes.purpose
),

-- a visit is a day at a place, whatever was done or counted there
visited as (
    select
        events.customer_id,
        purposes.purpose,
        count(distinct events.channel || cast(events.occurred_at as date)::string) as visits_12m
    from {{ ref('interactions') }} as events
    inner join purposes on events.source = purposes.source
    where
        events.customer_id is not null
        and events.channel in ('dealer', 'after_sales', 'shop')
        and events.kind not in ('order', 'review', 'product_registration', 'gift_card_bought', 'promotion_used')
        and {{ days_between('events.occurred_at', today()) }} between 0 and 365
    group by events.customer_id, purposes.purpose
),

everybody as (
    select
        customer_id,
        purpose
    from ordered
    union
    select
        customer_id,
        purpose
    from moved
    union
    select
        customer_id,
        purpose
    from visited
),

final as (
    select
        everybody.customer_id,
        everybody.purpose,
        coalesce(ordered.orders, 0)::bigint as orders,
        coalesce(ordered.revenue, 0)::decimal(18, 2) as revenue,
        ordered.last_order_on,
        coalesce(moved.loyalty_points, 0)::bigint as loyalty_points,
        coalesce(visited.visits_12m, 0)::bigint as visits_12m
    from everybody
    left join ordered on everybody.customer_id = ordered.customer_id and everybody.purpose = ordered.purpose
    left join moved on everybody.customer_id = moved.customer_id and everybody.purpose = moved.purpose
    left join visited on everybody.customer_id = visited.customer_id and everybody.purpose = visited.purpose
)

select * from final
