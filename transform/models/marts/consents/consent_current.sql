with answers as (
    select
        customer_id,
        purpose,
        channel,
        voice,
        source,
        stream,
        record_key,
        observed_at,
        valid_until,
        reason,
        -- a consent that ended was one: with it ends what the same voice granted before
        reason = 'expired' or (answer = 'expired' and reason <> 'dated in the future') as is_ended,
        -- a consent that is none is neither a yes nor a refusal: it grants nothing and lifts nothing
        case reason when 'granted' then 2 when 'denied' then 1 when 'withdrawn' then 1 else 3 end as weight
    from {{ ref('consent_answers') }}
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
    from answers
    where channel <> 'any'
),

-- an answer for any channel is an answer for each, and who refuses one channel does not agree to any
spread as (
    select
        answers.customer_id,
        answers.purpose,
        channels.channel,
        answers.voice,
        answers.source,
        answers.stream,
        answers.record_key,
        answers.observed_at,
        answers.valid_until,
        answers.reason,
        answers.weight,
        answers.is_ended
    from answers
    inner join channels
        on
            answers.purpose = channels.purpose
            and (
                answers.channel in (channels.channel, 'any')
                or (channels.channel = 'any' and answers.weight = 1 and answers.purpose <> 'service')
            )
),

-- of one voice (a record, or an address within a source) the latest answer stands; of two at one moment, and
-- where a refusal has no date, the refusal
ranked as (
    select
        customer_id,
        purpose,
        channel,
        voice,
        source,
        stream,
        record_key,
        observed_at,
        valid_until,
        reason,
        weight,
        row_number() over (
            partition by customer_id, purpose, channel, voice, weight = 3
            order by
                case when weight = 1 and observed_at is null then 0 else 1 end asc,
                observed_at desc nulls last, weight asc, source asc, stream asc, record_key asc
        ) as turn,
        coalesce(observed_at, cast('0001-01-01' as timestamptz)) as since,
        max(case when is_ended then coalesce(observed_at, cast('0001-01-01' as timestamptz)) end) over (
            partition by customer_id, purpose, channel, voice
        ) as ended_at
    from spread
),

latest as (
    select
        customer_id,
        purpose,
        channel,
        voice,
        source,
        stream,
        record_key,
        observed_at,
        valid_until,
        reason,
        weight
    from ranked
    where weight = 3 or (turn = 1 and (weight = 1 or ended_at is null or ended_at < since))
),

-- across voices a refusal stands against any consent
decided as (
    select
        customer_id,
        purpose,
        channel,
        source,
        stream,
        record_key,
        observed_at,
        reason,
        weight,
        -- a yes holds as long as any voice's does
        max(case when weight = 2 then coalesce(valid_until, cast('9999-12-31' as date)) end) over (
            partition by customer_id, purpose, channel
        ) as valid_until,
        min(case when weight < 3 then voice end) over (partition by customer_id, purpose, channel)
        < max(case when weight < 3 then voice end) over (partition by customer_id, purpose, channel) as is_disputed,
        row_number() over (
            partition by customer_id, purpose, channel
            order by
                weight asc, observed_at desc nulls last, source asc, stream asc, record_key asc, reason asc
        ) as place
    from latest
),

final as (
    select
        customer_id,
        purpose,
        channel,
        case weight when 2 then 'yes' else 'no' end as state,
        reason,
        source as decided_by_source,
        stream as decided_by_stream,
        record_key,
        observed_at,
        case when weight = 2 then nullif(valid_until, cast('9999-12-31' as date)) end as valid_until,
        case
            when weight = 3 then 'nobody gave a valid answer: ' || reason
            when weight = 2 then 'granted by each source that asked, the latest of them'
            when is_disputed then 'a refusal stands against any other source'
            else 'latest answer of the only source that asked'
        end as rule
    from decided
    where place = 1
)

select * from final
