with said as (
    select
        customers.customer_id,
        observed.role,
        observed.state,
        observed.source,
        observed.stream,
        observed.record_key,
        observed.holding,
        observed.observed_at,
        case observed.state when 'yes' then 3 when 'unknown' then 2 else 1 end as weight
    from {{ ref('role_observed') }} as observed
    inner join {{ ref('customer_ids') }} as customers on {{ person_record('observed.') }} = customers.record
),

-- one holding that says yes is enough; without one, a holding that does not say leaves the role unknown
final as (
    select
        customer_id,
        role,
        state,
        source,
        stream,
        record_key,
        holding,
        observed_at
    from said
    qualify row_number() over (
        partition by customer_id, role
        order by weight desc, observed_at desc nulls last, source asc, stream asc, record_key asc
    ) = 1
)

select * from final
