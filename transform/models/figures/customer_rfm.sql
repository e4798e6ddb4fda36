-- only purchases of sources whose notice allows profiling
with purchases as (
    select * from {{ ref('purchases') }}
    where {{ permits('purposes', 'profiling') }}
),

summed as (
    select
        customer_id,
        min(purchased_on) as first_purchase_on,
        max(purchased_on) as last_purchase_on,
        max_by(source, purchased_on::string || record_key) as last_source,
        max_by(stream, purchased_on::string || record_key) as last_stream,
        max_by(record_key, purchased_on::string || record_key) as last_record_key,
        count(*) as frequency,
        sum(amount) as monetary,
        {{ days_between('max(purchased_on)', today()) }} as recency_days,
        {{ common_purposes('purposes') }} as purposes
    from purchases
    group by customer_id
),

-- fifths of the buyers, 5 the best; equals fall in the same fifth
classed as (
    select
        *,
        1 + least(4, floor(5 * percent_rank() over (order by last_purchase_on)))::int as recency_class,
        1 + least(4, floor(5 * percent_rank() over (order by frequency)))::int as frequency_class,
        1 + least(4, floor(5 * percent_rank() over (order by monetary)))::int as monetary_class
    from summed
),

final as (
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
    from classed
)

select * from final
