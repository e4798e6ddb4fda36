with syncs as (
    {{ declared_syncs() }}
),

members as (
    select
        segment,
        customer_id,
        purposes
    from {{ ref('segments') }}
),

sizes as (
    select
        segment,
        count(*)::bigint as members
    from members
    group by segment
),

channels as (
    select
        sizes.segment,
        uses.purpose,
        uses.channel
    from sizes
    cross join {{ ref('purpose_channels') }} as uses

    union

    select
        segment,
        purpose,
        channel
    from syncs
),

-- a member is left out once, by the first reason: data collected for something else, then what consent says
excluded as (
    select
        channels.segment,
        channels.purpose,
        channels.channel,
        case
            when not coalesce({{ permits('members.purposes', "' || channels.purpose || '") }}, false)
                then 'data not collected for it'
            when bridges.customer_id is not null then 'one person only by data not collected for it'
            else coalesce(consents.reason, 'never asked')
        end as reason
    from channels
    inner join members on channels.segment = members.segment
    left join {{ ref('consent_current') }} as consents
        on
            members.customer_id = consents.customer_id
            and channels.purpose = consents.purpose
            and channels.channel = consents.channel
    left join {{ ref('identity_bridges') }} as bridges
        on members.customer_id = bridges.customer_id and channels.purpose = bridges.purpose
    where
        not coalesce({{ permits('members.purposes', "' || channels.purpose || '") }}, false)
        or bridges.customer_id is not null
        or coalesce(consents.state, 'unknown') <> 'yes'
),

counted as (
    select
        segment,
        purpose,
        channel,
        reason,
        count(*)::bigint as excluded
    from excluded
    group by segment, purpose, channel, reason
),

used as (
    select
        segment,
        purpose,
        channel,
        string_agg(sync, ', ' order by sync) as syncs
    from syncs
    group by segment, purpose, channel
),

final as (
    select
        counted.segment,
        counted.purpose,
        counted.channel,
        counted.reason,
        used.syncs,
        sizes.members,
        counted.excluded
    from counted
    inner join sizes on counted.segment = sizes.segment
    left join used
        on
            counted.segment = used.segment
            and counted.purpose = used.purpose
            and counted.channel = used.channel
)

select * from final
