with views as (
    {{ customer_view() }}
    where known.purpose = 'everything'
),

final as (
    select
        customer_id,
        first_name,
        last_name,
        birth_date,
        sex,
        tax_code,
        email,
        phone,
        street,
        postcode,
        city,
        province,
        region,
        country,
        language,
        household_id,
        lifecycle_stage,
        records,
        sources,
        orders,
        revenue,
        last_order_on,
        loyalty_points,
        visits_12m,
        recency_days,
        frequency,
        monetary,
        first_seen_at,
        last_seen_at
    from views
)

select * from final
