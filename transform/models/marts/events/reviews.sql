with observed as (
    select * from {{ ref('review_observed') }}
),

customers as (
    select * from {{ ref('customer_ids') }}
),

final as (
    select
        customers.customer_id,
        observed.source,
        observed.stream,
        observed.record_key,
        observed.product_key,
        observed.product,
        observed.rating,
        coalesce(observed.is_verified, false) as is_verified,
        observed.status,
        observed.review,
        observed.reviewed_at
    from observed
    left join customers on {{ person_record('observed.') }} = customers.record
)

select * from final
