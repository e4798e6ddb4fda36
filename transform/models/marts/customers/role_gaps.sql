with final as (
    select
        observed.source,
        observed.stream,
        observed.record_key,
        observed.role,
        customers.customer_id,
        observed.holding
    from {{ ref('role_observed') }} as observed
    left join {{ ref('customer_ids') }} as customers on {{ person_record('observed.') }} = customers.record
    where observed.state = 'unknown'
)

select * from final
