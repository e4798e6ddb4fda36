{% macro segment__loyal() %}{{ return('loyal') }}{% endmacro %}

with rfm as (
    select * from {{ ref('customer_rfm') }}
    where
        recency_class >= {{ var('loyal_recency') }}
        and frequency_class >= {{ var('loyal_frequency') }}
        and monetary_class >= {{ var('loyal_monetary') }}
),

final as (
    select
        customer_id,
        {{ counted('frequency', 'purchase') }} || ' worth ' || monetary::decimal(18, 2)::string || ' EUR since '
        || first_purchase_on::string || ', the last on ' || last_purchase_on::string
        || ': recency ' || recency_class::string || ', frequency ' || frequency_class::string
        || ', money ' || monetary_class::string || ' of 5' as reason,
        purposes
    from rfm
)

select * from final
