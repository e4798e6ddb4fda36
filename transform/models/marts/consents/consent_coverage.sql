with decided as (
    select
        purpose,
        channel,
        state,
        reason,
        count(*) as customers
    from {{ ref('consent_current') }}
    group by purpose, channel, state, reason
),

known as (
    select
        purpose,
        channel,
        sum(customers) as customers
    from decided
    group by purpose, channel
),

everybody as (
    select count(*) as customers
    from {{ ref('customers') }}
),

channels as (
    select
        purpose,
        channel
    from {{ ref('purpose_channels') }}

    union

    select
        purpose,
        channel
    from known
),

-- who was never asked, or never answered
unasked as (
    select
        channels.purpose,
        channels.channel,
        'unknown' as state,
        'never asked' as reason,
        everybody.customers - coalesce(known.customers, 0) as customers
    from channels
    cross join everybody
    left join known on channels.purpose = known.purpose and channels.channel = known.channel
),

gathered as (
    select
        purpose,
        channel,
        state,
        reason,
        customers
    from decided

    union all

    select
        purpose,
        channel,
        state,
        reason,
        customers
    from unasked
    where customers > 0
),

final as (
    select
        gathered.purpose,
        gathered.channel,
        gathered.state,
        gathered.reason,
        gathered.customers::bigint as customers,
        (gathered.customers / everybody.customers)::double as share
    from gathered
    cross join everybody
)

select * from final
