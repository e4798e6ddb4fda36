with final as (
    select
        customer_id,
        first_purchase_on,
        last_purchase_on,
        last_source,
        last_stream,
        last_record_key,
        frequency,
        monetary,
        recency_days,
        recency_class,
        frequency_class,
        monetary_class,
        purposes
    from {{ ref('rfm_by_purpose') }}
    where purpose = 'profiling'
)

select * from final
