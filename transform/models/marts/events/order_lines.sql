with orders as (
    select
        order_id,
        customer_id
    from {{ ref('orders') }}
),

final as (
    select
        orders.order_id,
        observed.line_no,
        orders.customer_id,
        observed.product_key,
        observed.sku,
        observed.product,
        observed.quantity,
        observed.amount
    from {{ ref('order_line_observed') }} as observed
    inner join orders on {{ record('observed.') }} = orders.order_id
)

select * from final
