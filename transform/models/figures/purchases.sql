with permissions as (
    select * from {{ ref('source_permissions') }}
),

orders as (
    select
        orders.*,
        permissions.purposes
    from {{ ref('orders') }} as orders
    inner join permissions on orders.source = permissions.source
    where orders.is_counted and orders.customer_id is not null
),

till as (
    select
        movements.*,
        permissions.purposes
    from {{ ref('card_movements') }} as movements
    inner join permissions on movements.source = permissions.source
    where movements.kind = 'accrual' and movements.amount > 0 and movements.customer_id is not null
),

-- an order collected in a shop moves points there as well: one purchase with two halves; the half at the till serves
-- only purposes that may not know the order
matched as (
    select
        till.source,
        till.stream,
        till.record_key,
        {{ purposes_beyond('till.purposes', 'orders.purposes') }} as purposes
    from till
    inner join orders
        on
            till.customer_id = orders.customer_id
            and till.amount = orders.total
            and {{ days_between('orders.ordered_at', 'till.occurred_at') }} between 0 and 14
            and till.shop = orders.pickup_shop
),

collected as (
    select
        source,
        stream,
        record_key,
        {{ common_purposes('purposes') }} as purposes
    from matched
    group by source, stream, record_key
),

gathered as (
    select
        customer_id,
        source,
        stream,
        record_key,
        cast(ordered_at as date) as purchased_on,
        net as amount,
        purposes
    from orders

    union all

    select
        till.customer_id,
        till.source,
        till.stream,
        till.record_key,
        cast(till.occurred_at as date) as purchased_on,
        till.amount,
        coalesce(collected.purposes, till.purposes) as purposes
    from till
    left join collected
        on
            till.source = collected.source
            and till.stream = collected.stream
            and till.record_key = collected.record_key
),

final as (
    select
        customer_id,
        source,
        stream,
        record_key,
        purchased_on,
        amount,
        purposes
    from gathered
    where purchased_on <= {{ today() }} and purposes <> ''
)

select * from final
