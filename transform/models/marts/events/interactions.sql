with gathered as (
    select
        customers.customer_id,
        observed.occurred_at,
        observed.kind,
        observed.channel,
        observed.source,
        observed.stream,
        observed.record_key,
        observed.detail
    from {{ ref('interaction_observed') }} as observed
    left join {{ ref('customer_ids') }} as customers on {{ person_record('observed.') }} = customers.record

    union all

    select
        customer_id,
        ordered_at as occurred_at,
        'order' as kind,
        channel,
        source,
        stream,
        record_key,
        concat_ws('; ', status, total::string || ' ' || currency, 'collected in shop ' || pickup_shop) as detail
    from {{ ref('orders') }}

    union all

    select
        customer_id,
        reviewed_at as occurred_at,
        'review' as kind,
        'shop' as channel,
        source,
        stream,
        record_key,
        concat_ws('; ', product, rating::string || ' of 5') as detail
    from {{ ref('reviews') }}

    union all

    select
        customer_id,
        occurred_at,
        'card_' || kind as kind,
        'shop' as channel,
        source,
        stream,
        record_key,
        concat_ws('; ', 'shop ' || shop, points::string || ' points') as detail
    from {{ ref('card_movements') }}
),

final as (
    select
        customer_id,
        occurred_at,
        kind,
        channel,
        source,
        stream,
        record_key,
        detail
    from gathered
)

select * from final
