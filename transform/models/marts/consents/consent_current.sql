with channels as (
    select
        purpose,
        channel
    from {{ ref('purpose_channels') }}

    union

    select
        purpose,
        channel
    from {{ ref('consents') }}
    where channel <> 'any'
),

-- an answer for any channel is an answer for each
spread as (
    select
        history.customer_id,
        history.purpose,
        channels.channel,
        history.state,
        history.observed_at,
        history.source,
        history.record_key
    from {{ ref('consents') }} as history
    inner join channels
        on
            history.purpose = channels.purpose
            and history.channel in (channels.channel, 'any')
),

-- within a source the latest answer stands; of two at the same moment, the refusal
latest as (
    select
        customer_id,
        purpose,
        channel,
        state,
        observed_at,
        source,
        record_key
    from spread
    qualify row_number() over (
        partition by customer_id, purpose, channel, source
        order by observed_at desc nulls last, state asc, record_key asc
    ) = 1
),

-- across sources a refusal stands against any consent
decided as (
    select
        customer_id,
        purpose,
        channel,
        state,
        observed_at,
        source,
        record_key,
        count(*) over (partition by customer_id, purpose, channel) as sources,
        row_number() over (
            partition by customer_id, purpose, channel
            order by state asc, observed_at desc nulls last, source asc, record_key asc
        ) as place
    from latest
),

final as (
    select
        customer_id,
        purpose,
        channel,
        case state when 'granted' then 'yes' else 'no' end as state,
        source as decided_by_source,
        record_key,
        observed_at,
        case
            when state = 'granted' then 'granted by each source that asked, the latest of them'
            when sources = 1 then 'latest answer of the only source that asked'
            else 'a refusal stands against any other source'
        end as rule
    from decided
    where place = 1
)

select * from final
