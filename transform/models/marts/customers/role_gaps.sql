with observed as (
    select * from {{ ref('role_observed') }}
    where state = 'unknown'
),

customers as (
    select * from {{ ref('customer_ids') }}
),

final as (
    select
        observed.source,
        observed.stream,
        observed.record_key,
        observed.role,
        customers.customer_id,
        observed.holding
    from observed
    left join customers on {{ person_record('observed.') }} = customers.record
)

select * from final
