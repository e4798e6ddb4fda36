-- the same may happen to the same customers again: an event's place among them is part of its name
with before as (
    select
        known.event,
        known.customer_id,
        known.from_customer_id,
        count(*) as times
    from {{ ref('stg_published__identity_events') }} as known
    where known.customer_id in (select changes.customer_id from {{ ref('customer_changes') }} as changes)
    group by known.event, known.customer_id, known.from_customer_id
),

happened as (
    select
        md5(
            changes.event || '|' || changes.customer_id || '|' || coalesce(changes.from_customer_id, '')
            || '|' || coalesce(before.times, 0)::string
        ) as event_id,
        changes.event,
        {{ moment("'" ~ run_started_at.isoformat() ~ "'") }} as happened_at,
        changes.customer_id,
        changes.from_customer_id,
        changes.records,
        changes.moved,
        changes.stayed,
        changes.cause
    from {{ ref('customer_changes') }} as changes
    left join before
        on
            changes.event = before.event
            and changes.customer_id = before.customer_id
            and changes.from_customer_id is not distinct from before.from_customer_id
),

final as (
    select
        event_id,
        event,
        happened_at,
        customer_id,
        from_customer_id,
        records,
        moved,
        stayed,
        cause
    from {{ ref('stg_published__identity_events') }}

    union all

    select
        event_id,
        event,
        happened_at,
        customer_id,
        from_customer_id,
        records,
        moved,
        stayed,
        cause
    from happened
)

select * from final
