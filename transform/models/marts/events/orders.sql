with final as (
    select
        {{ record('observed.') }} as order_id,
        customers.customer_id,
        observed.source,
        observed.stream,
        observed.record_key,
        observed.order_no,
        observed.ordered_at,
        observed.status,
        coalesce(observed.is_counted, false) as is_counted,
        observed.currency,
        observed.total,
        coalesce(observed.discount, 0)::decimal(18, 2) as discount,
        coalesce(observed.shipping, 0)::decimal(18, 2) as shipping,
        coalesce(observed.refunded, 0)::decimal(18, 2) as refunded,
        (coalesce(observed.total, 0) - coalesce(observed.refunded, 0))::decimal(18, 2) as net,
        observed.payment_method,
        observed.channel,
        observed.pickup_shop
    from {{ ref('order_observed') }} as observed
    left join {{ ref('customer_ids') }} as customers on {{ person_record('observed.') }} = customers.record
)

select * from final
