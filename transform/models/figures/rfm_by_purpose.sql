with purposes as (
    {{ purpose_rows() }}
    union all
    select 'everything' as purpose
),

-- a profile rests only on purchases of sources whose notice allows profiling, whatever else it is to serve
bought as (
    select
        purchases.*,
        purposes.purpose
    from {{ ref('purchases') }} as purchases
    inner join purposes
        on
            purposes.purpose = 'everything'
            or {{ permits_one('purchases.purposes', 'purposes.purpose') }}
    where {{ permits('purchases.purposes', 'profiling') }}
),

summed as (
    select
        customer_id,
        purpose,
        min(purchased_on) as first_purchase_on,
        max(purchased_on) as last_purchase_on,
        max_by(source, purchased_on::string || record_key) as last_source,
        max_by(stream, purchased_on::string || record_key) as last_stream,
        max_by(record_key, purchased_on::string || record_key) as last_record_key,
        count(*) as frequency,
        sum(amount) as monetary,
        {{ days_between('max(purchased_on)', today()) }} as recency_days,
        {{ common_purposes('purposes') }} as purposes
    from bought
    group by customer_id, purpose
),

-- fifths of the buyers, 5 the best; equals fall in the same fifth
final as (
    select
        *,
        {{ fifth('last_purchase_on') }} as recency_class,
        {{ fifth('frequency') }} as frequency_class,
        {{ fifth('monetary') }} as monetary_class
    from summed
)

select * from final
