with living as (
    select distinct customer_id
    from {{ ref('customer_ids') }}
),

last_merges as (
    select
        from_customer_id as alias,
        happened_at as since,
        unnest(moved) as record
    from {{ ref('identity_events') }}
    where event = 'merge' and from_customer_id not in (select living.customer_id from living)
    qualify happened_at = max(happened_at) over (partition by from_customer_id)
),

-- whom a customer was merged into may itself have been merged or split since: it is who has most of its records now
found as (
    select
        last_merges.alias,
        customers.customer_id,
        last_merges.since
    from last_merges
    inner join {{ ref('customer_ids') }} as customers on last_merges.record = customers.record
    group by last_merges.alias, customers.customer_id, last_merges.since
    qualify row_number() over (
        partition by last_merges.alias order by count(*) desc, customers.customer_id
    ) = 1
),

final as (
    select
        alias,
        customer_id,
        since
    from found
)

select * from final
