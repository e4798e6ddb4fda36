with customers as (
    select
        customer_id,
        source,
        stream,
        record_key
    from {{ ref('customer_sources') }}
    qualify
        row_number() over (
            partition by customer_id order by observed_at asc nulls last, record_key asc, source asc, stream asc
        ) = 1
),

rfm as (
    select * from {{ ref('customer_rfm') }}
),

permissions as (
    select * from {{ ref('source_permissions') }}
),

staged as (
    select
        customers.customer_id,
        {{ lifecycle_stage('rfm') }} as lifecycle_stage,
        coalesce(rfm.last_source, customers.source) as source,
        coalesce(rfm.last_stream, customers.stream) as stream,
        coalesce(rfm.last_record_key, customers.record_key) as record_key,
        rfm.last_purchase_on,
        coalesce(rfm.purposes, permissions.purposes) as purposes
    from customers
    left join rfm on customers.customer_id = rfm.customer_id
    left join permissions on customers.source = permissions.source
),

final as (
    select
        customer_id,
        lifecycle_stage,
        case lifecycle_stage
            when 'prospect' then 'no purchase on record'
            when 'lapsed' then 'no purchase for {{ var("lapsed_days") }} days'
            when 'new' then 'first purchase in the last {{ var("new_days") }} days'
            when 'long_standing'
                then '{{ var("long_standing_purchases") }} purchases or more in {{ var("long_standing_days") }} days'
            else 'a purchase in the last {{ var("lapsed_days") }} days'
        end as rule,
        source,
        stream,
        record_key,
        last_purchase_on,
        purposes
    from staged
)

select * from final
