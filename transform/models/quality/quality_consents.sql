with worded as (
    select
        source,
        stream,
        record_key,
        lower(trim(purpose)) as purpose,
        lower(trim(state)) as state
    from {{ ref('consent_observed') }}

    union all

    select
        source,
        stream,
        record_key,
        lower(trim(purpose)) as purpose,
        null as state
    from {{ ref('suppression_observed') }}
),

-- few are the words, and many the rows
words as (
    select distinct
        purpose,
        state
    from worded
),

faults as (
    select
        'consent_purpose_unknown' as rule,
        purpose,
        state
    from words
    where purpose not in ('', 'all') and not {{ permits_one(every_purpose(), 'purpose') }}

    union all

    select
        'consent_state_unknown' as rule,
        purpose,
        state
    from words
    where state not in ('', 'granted', 'denied', 'withdrawn', 'pending', 'expired')
),

final as (
    select distinct
        faults.rule,
        worded.source,
        worded.stream,
        worded.record_key,
        1 as findings
    from worded
    inner join faults
        on worded.purpose is not distinct from faults.purpose and worded.state is not distinct from faults.state
)

select * from final
