{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_changed_customers('changed_views') }}"
) }}

-- depends_on: {{ ref('golden_run') }}
with views as (
    {{ customer_view() }}
    where
        known.purpose = 'everything'
        and known.customer_id in (select changed.customer_id from {{ ref('changed_views') }} as changed)
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
