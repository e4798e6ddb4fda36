-- what each row would count for if an adult said it
with said as (
    select * from {{ ref('consent_said') }}
),

policies as (
    select * from {{ ref('notice_policies') }}
),

known_versions as (
    select distinct
        source,
        notice_version
    from policies
),

-- few versions on few days: each is looked up once
asked as (
    select distinct
        source,
        notice_version,
        observed_on
    from said
),

-- a version that nobody described is read as the source's default
versioned as (
    select
        asked.source,
        asked.notice_version,
        asked.observed_on,
        coalesce(known_versions.notice_version, '*') as read_version
    from asked
    left join known_versions
        on asked.source = known_versions.source and asked.notice_version = known_versions.notice_version
),

-- a source without any notice may serve; a notice that was not in use that day allows nothing
notices as (
    select
        versioned.source,
        versioned.notice_version,
        coalesce(versioned.observed_on, cast('0001-01-01' as date)) as notice_day,
        coalesce(policies.purposes, case when known_versions.source is null then 'service' else '' end) as allowed,
        coalesce(policies.minimum_age, {{ var('minimum_age') }}) as minimum_age,
        policies.valid_days,
        coalesce(policies.double_opt_in, false) as must_confirm,
        coalesce(policies.confirm_days, {{ var('confirm_days') }}) as confirm_days
    from versioned
    left join known_versions
        on versioned.source = known_versions.source and versioned.read_version = known_versions.notice_version
    left join policies
        on
            versioned.source = policies.source
            and versioned.read_version = policies.notice_version
            and (policies.valid_from is null or versioned.observed_on >= policies.valid_from)
            and (policies.valid_to is null or versioned.observed_on <= policies.valid_to)
    qualify
        row_number() over (
            partition by versioned.source, versioned.notice_version, versioned.observed_on
            order by policies.valid_from desc nulls last
        ) = 1
),

noticed as (
    select
        said.*,
        notices.allowed,
        notices.minimum_age,
        notices.valid_days,
        notices.must_confirm,
        notices.confirm_days
    from said
    inner join notices
        on
            said.source = notices.source
            and said.notice_version = notices.notice_version
            and coalesce(said.observed_on, cast('0001-01-01' as date)) = notices.notice_day
),

-- what is confirmed, and what waits for it
opted as (
    select
        *,
        case
            when answer in ('denied', 'withdrawn') then null
            when double_opt_in = 'expired' then 'expired'
            when answer = 'expired' and (double_opt_in is not null or must_confirm) then 'expired'
            when answer = 'expired' then null
            when double_opt_in = 'confirmed' then 'confirmed'
            when answer <> 'pending' and double_opt_in is null and not must_confirm then null
            else 'requested'
        end as opt_in
    from noticed
),

voices as (
    select distinct
        record,
        voice
    from {{ ref('consent_contacts') }}
),

-- a confirmation answers what its own row, or else the voice's last request before it, asked
following as (
    select
        opted.*,
        coalesce(voices.voice, opted.record) as voice,
        coalesce(
            opted.requested_at,
            max(case when opted.opt_in = 'requested' then opted.observed_at end) over (
                partition by opted.source, coalesce(voices.voice, opted.record), opted.purpose
                order by opted.observed_at asc nulls first
            )
        ) as asked_at
    from opted
    left join voices on opted.record = voices.record
    where opted.opt_in in ('requested', 'confirmed')
),

answered as (
    select
        *,
        min(case when opt_in = 'confirmed' then observed_at end) over (
            partition by source, voice, purpose, asked_at
        ) as answered_at
    from following
),

-- a double opt-in that nobody confirmed in time has lapsed, and a later click does not bring it back
confirmed as (
    select
        *,
        case
            when {{ days_between(
                'asked_at', "case opt_in when 'confirmed' then answered_at else " ~ today() ~ " end"
            ) }} > confirm_days then 'expired'
            else opt_in
        end as judged_opt_in
    from answered

    union all

    select
        *,
        null as voice,
        null as asked_at,
        null as answered_at,
        opt_in as judged_opt_in
    from opted
    where opt_in is null or opt_in = 'expired'
),

final as (
    select
        confirmed.record,
        confirmed.source,
        confirmed.stream,
        confirmed.record_key,
        confirmed.purpose,
        confirmed.channel,
        confirmed.answer,
        confirmed.legal_basis,
        nullif(confirmed.notice_version, '*') as notice_version,
        confirmed.judged_opt_in as double_opt_in,
        confirmed.given_by,
        confirmed.expires_on,
        confirmed.collected_by,
        confirmed.observed_at,
        confirmed.observed_on,
        confirmed.minimum_age,
        least(
            confirmed.expires_on, {{ days_after('confirmed.observed_on', 'confirmed.valid_days') }}
        ) as valid_until,
        case
            when confirmed.answer in ('denied', 'withdrawn') then confirmed.answer
            when confirmed.observed_on > {{ today() }} then 'dated in the future'
            when bases.legal_basis is null then 'no legal basis'
            when not {{ permits('confirmed.allowed', "' || confirmed.purpose || '") }} then 'notice does not cover it'
            when confirmed.judged_opt_in = 'expired' then 'double opt-in expired'
            when confirmed.judged_opt_in = 'requested' then 'double opt-in pending'
            when confirmed.answer = 'expired' or confirmed.expires_on < {{ today() }} then 'expired'
            when
                confirmed.valid_days is not null
                and coalesce({{ days_between('confirmed.observed_on', today()) }} > confirmed.valid_days, true)
                then 'expired'
            else 'granted'
        end as reason
    from confirmed
    left join {{ ref('purpose_bases') }} as bases
        on confirmed.purpose = bases.purpose and confirmed.legal_basis = bases.legal_basis
)

select * from final
