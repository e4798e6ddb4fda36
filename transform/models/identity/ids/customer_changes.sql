with events as (
    select
        event,
        customer_id,
        from_customer_id,
        records,
        moved,
        stayed
    from {{ ref('customer_assignment') }}
    where event is not null
),

moves as (
    select
        event,
        customer_id,
        from_customer_id,
        unnest(moved) as record
    from events
    where event <> 'birth'
),

customers as (
    select * from {{ ref('customer_ids') }}
),

-- a cause lies between what moved and the rest of the customer that it came to, or that it left
others as (
    select
        customers.record,
        customers.customer_id
    from customers
    where
        customers.customer_id in (select moves.customer_id from moves)
        or customers.customer_id in (select moves.from_customer_id from moves)
),

joins as (
    select
        left_record as record,
        right_record as other_record,
        rule
    from {{ ref('person_edges') }}

    union all

    select
        right_record as record,
        left_record as other_record,
        rule
    from {{ ref('person_edges') }}
),

cuts as (
    select
        left_record as record,
        right_record as other_record,
        reason
    from {{ ref('identity_cuts') }}

    union all

    select
        right_record as record,
        left_record as other_record,
        reason
    from {{ ref('identity_cuts') }}

    union all

    select
        left_record as record,
        right_record as other_record,
        'kept apart by decision' as reason
    from {{ ref('decisions') }}
    where verb = 'apart'

    union all

    select
        right_record as record,
        left_record as other_record,
        'kept apart by decision' as reason
    from {{ ref('decisions') }}
    where verb = 'apart'
),

joined as (
    select
        moves.customer_id,
        moves.from_customer_id,
        string_agg(distinct joins.rule, ', ' order by joins.rule) as cause
    from moves
    inner join joins on moves.record = joins.record
    inner join others on joins.other_record = others.record and moves.customer_id = others.customer_id
    left join moves as together
        on
            joins.other_record = together.record
            and moves.customer_id = together.customer_id
            and moves.from_customer_id = together.from_customer_id
    where moves.event = 'merge' and together.record is null
    group by moves.customer_id, moves.from_customer_id
),

parted as (
    select
        moves.customer_id,
        moves.from_customer_id,
        string_agg(distinct cuts.reason, ', ' order by cuts.reason) as cause
    from moves
    inner join cuts on moves.record = cuts.record
    inner join others on cuts.other_record = others.record and moves.from_customer_id = others.customer_id
    where moves.event <> 'merge'
    group by moves.customer_id, moves.from_customer_id
),

gone as (
    select distinct previous.customer_id
    from {{ ref('stg_published__customer_sources') }} as previous
    left join customers on previous.record = customers.record
    where
        customers.record is null
        and previous.customer_id in (select moves.from_customer_id from moves)
),

final as (
    select
        events.event,
        events.customer_id,
        events.from_customer_id,
        events.records,
        events.moved,
        events.stayed,
        case
            when events.event = 'birth' then 'new records'
            when events.event = 'gone' then 'its records are gone'
            when events.event = 'merge' then coalesce(joined.cause, 'only owner of an address')
            when parted.cause is not null then parted.cause
            when gone.customer_id is not null then 'a record is gone'
            when events.from_customer_id is null then 'records are back'
            else 'evidence is gone'
        end as cause
    from events
    left join joined
        on events.customer_id = joined.customer_id and events.from_customer_id = joined.from_customer_id
    left join parted
        on events.customer_id = parted.customer_id and events.from_customer_id = parted.from_customer_id
    left join gone on events.from_customer_id = gone.customer_id
)

select * from final
