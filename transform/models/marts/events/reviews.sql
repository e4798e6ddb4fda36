with final as (
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
    from {{ ref('review_observed') }} as observed
    left join {{ ref('customer_ids') }} as customers on {{ person_record('observed.') }} = customers.record
)

select * from final
