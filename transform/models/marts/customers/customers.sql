with golden as (
    select
        customer_id,
        {{ best_values([
            'first_name', 'last_name', 'birth_date', 'sex', 'tax_code', 'email', 'phone', 'street', 'postcode', 'city',
            'province', 'region', 'country', 'language', 'lifecycle_stage',
        ]) }}
    from {{ ref('customer_values') }}
    where is_winner
    group by customer_id
),

sources as (
    select
        customer_id,
        count(*) as records,
        count(distinct source) as sources,
        max(observed_at) as last_seen_at
    from {{ ref('customer_sources') }}
    group by customer_id
),

seen as (
    select
        customers.customer_id,
        min(records.first_seen) as first_seen_at
    from {{ ref('record_clusters') }} as records
    inner join {{ ref('customer_ids') }} as customers on records.record = customers.record
    group by customers.customer_id
),

ordered as (
    select
        customer_id,
        count(*) as orders,
        sum(net) as revenue,
        max(cast(ordered_at as date)) as last_order_on
    from {{ ref('orders') }}
    where is_counted
    group by customer_id
),

moved as (
    select
        customer_id,
        sum(points) as loyalty_points
    from {{ ref('card_movements') }}
    group by customer_id
),

-- a visit is a day at a place, whatever was done or counted there
visited as (
    select
        customer_id,
        count(distinct channel || cast(occurred_at as date)::string) as visits_12m
    from {{ ref('interactions') }}
    where
        channel in ('dealer', 'after_sales', 'shop')
        and kind not in ('order', 'review', 'product_registration')
        and {{ days_between('occurred_at', today()) }} between 0 and 365
    group by customer_id
),

households as (
    select
        customer_id,
        household_id
    from {{ ref('household_members') }}
),

final as (
    select
        sources.customer_id,
        golden.first_name,
        golden.last_name,
        cast(golden.birth_date as date) as birth_date,
        golden.sex,
        golden.tax_code,
        golden.email,
        golden.phone,
        golden.street,
        golden.postcode,
        golden.city,
        golden.province,
        golden.region,
        golden.country,
        golden.language,
        households.household_id,
        golden.lifecycle_stage,
        sources.records,
        sources.sources,
        coalesce(ordered.orders, 0)::bigint as orders,
        coalesce(ordered.revenue, 0)::decimal(18, 2) as revenue,
        ordered.last_order_on,
        coalesce(moved.loyalty_points, 0)::bigint as loyalty_points,
        coalesce(visited.visits_12m, 0)::bigint as visits_12m,
        rfm.recency_days,
        coalesce(rfm.frequency, 0)::bigint as frequency,
        coalesce(rfm.monetary, 0)::decimal(18, 2) as monetary,
        seen.first_seen_at,
        sources.last_seen_at
    from sources
    left join golden on sources.customer_id = golden.customer_id
    left join seen on sources.customer_id = seen.customer_id
    left join ordered on sources.customer_id = ordered.customer_id
    left join moved on sources.customer_id = moved.customer_id
    left join visited on sources.customer_id = visited.customer_id
    left join {{ ref('customer_rfm') }} as rfm on sources.customer_id = rfm.customer_id
    left join households on sources.customer_id = households.customer_id
)

select * from final
