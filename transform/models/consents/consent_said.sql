with observed as (
    select
        {{ person_record() }} as record,
        source,
        stream,
        record_key,
        purpose,
        channel,
        state,
        legal_basis,
        notice_version,
        double_opt_in,
        requested_at,
        given_by,
        expires_on,
        collected_by,
        observed_at
    from {{ ref('consent_observed') }}

    union all

    -- who appears by an identifier alone only ever withdraws
    select
        {{ record() }} as record,
        source,
        stream,
        record_key,
        purpose,
        channel,
        'withdrawn' as state,
        null as legal_basis,
        null as notice_version,
        null as double_opt_in,
        null as requested_at,
        null as given_by,
        null as expires_on,
        collected_by,
        observed_at
    from {{ ref('suppression_observed') }}
),

worded as (
    select
        record,
        source,
        stream,
        record_key,
        coalesce(nullif(lower(trim(purpose)), ''), 'all') as purpose,
        coalesce(nullif(lower(trim(channel)), ''), 'any') as channel,
        lower(trim(state)) as state,
        lower(replace(trim(legal_basis), ' ', '_')) as legal_basis,
        coalesce(nullif(trim(notice_version), ''), '*') as notice_version,
        lower(trim(double_opt_in)) as double_opt_in,
        requested_at,
        lower(trim(given_by)) as given_by,
        expires_on,
        collected_by,
        observed_at,
        cast(observed_at as date) as observed_on
    from observed
    -- a row that does not say whether is no evidence either way
    where nullif(trim(state), '') is not null
),

-- a word that the rules do not know is not a yes
answered as (
    select
        *,
        case
            when state in ('granted', 'pending', 'expired') then state
            when state = 'withdrawn' or legal_basis = 'withdrawal' then 'withdrawn'
            else 'denied'
        end as answer
    from worded
),

-- all is every purpose but service, which rests on a contract; a yes to nothing in particular is no yes
every_purpose as (
    select distinct purpose
    from {{ ref('purpose_channels') }}
    where purpose <> 'service'
),

-- a refusal of a purpose that nobody knows may mean any of them
meant as (
    select
        *,
        case
            when answer in ('denied', 'withdrawn') and not {{ permits_one(every_purpose(), 'purpose') }} then 'all'
            else purpose
        end as meant_purpose
    from answered
),

final as (
    select
        meant.record,
        meant.source,
        meant.stream,
        meant.record_key,
        coalesce(every_purpose.purpose, meant.purpose) as purpose,
        meant.channel,
        meant.answer,
        nullif(meant.legal_basis, 'withdrawal') as legal_basis,
        meant.notice_version,
        meant.double_opt_in,
        meant.requested_at,
        meant.given_by,
        meant.expires_on,
        meant.collected_by,
        meant.observed_at,
        meant.observed_on
    from meant
    left join every_purpose on meant.meant_purpose = 'all'
    where meant.meant_purpose <> 'all' or meant.answer in ('denied', 'withdrawn')
)

select * from final
