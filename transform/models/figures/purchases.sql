with orders as (
    select * from {{ ref('orders') }}
    where is_counted and customer_id is not null
),

till as (
    select * from {{ ref('card_movements') }}
    where kind = 'accrual' and amount > 0 and customer_id is not null
),

permissions as (
    select * from {{ ref('source_permissions') }}
),

-- an order collected in a shop moves points there as well: one purchase with two halves
collected as (
    select distinct till.record_key
    from till
    inner join orders
        on
            till.customer_id = orders.customer_id
            and till.amount = orders.total
            and {{ days_between('orders.ordered_at', 'till.occurred_at') }} between 0 and 14
            and till.shop = orders.pickup_shop
),

gathered as (
    select
        customer_id,
        source,
        stream,
        record_key,
        cast(ordered_at as date) as purchased_on,
        net as amount
    from orders

    union all

    select
        till.customer_id,
        till.source,
        till.stream,
        till.record_key,
        cast(till.occurred_at as date) as purchased_on,
        till.amount
    from till
    left join collected on till.record_key = collected.record_key
    where collected.record_key is null
),

final as (
    select
        gathered.*,
        permissions.purposes
    from gathered
    inner join permissions on gathered.source = permissions.source
    where gathered.purchased_on <= {{ today() }}
)

select * from final
