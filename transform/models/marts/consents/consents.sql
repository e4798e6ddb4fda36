with told as (
    select distinct
        source,
        stream,
        record_key,
        purpose
    from {{ ref('consent_answers') }}
),

-- what speaks of nobody known is kept under the address that it came from, and under its row where there is none
unknown as (
    select
        coalesce(
            contacts.kind || ':' || secret_key(contacts.value),
            'row:' || secret_key(verdicts.record)
        ) as subject,
        verdicts.purpose,
        verdicts.channel,
        verdicts.answer,
        verdicts.legal_basis,
        verdicts.observed_at,
        verdicts.source,
        verdicts.stream,
        verdicts.record_key,
        verdicts.notice_version,
        verdicts.double_opt_in,
        verdicts.given_by,
        verdicts.expires_on,
        verdicts.collected_by,
        case
            when verdicts.reason = 'granted' and contacts.record is null then 'nobody known'
            when verdicts.reason = 'granted' then 'address of nobody or of several'
            else verdicts.reason
        end as why
    from {{ ref('consent_verdicts') }} as verdicts
    left join {{ ref('consent_contacts') }} as contacts on verdicts.record = contacts.record
    left join told
        on
            verdicts.source = told.source
            and verdicts.stream = told.stream
            and verdicts.record_key = told.record_key
            and verdicts.purpose = told.purpose
    where told.record_key is null
),

gathered as (
    select
        customer_id as subject,
        customer_id,
        reached_by,
        purpose,
        channel,
        answer,
        legal_basis,
        observed_at,
        source,
        stream,
        record_key,
        notice_version,
        double_opt_in,
        given_by,
        expires_on,
        collected_by,
        reason
    from {{ ref('consent_answers') }}

    union all

    select
        subject,
        null as customer_id,
        null as reached_by,
        purpose,
        channel,
        answer,
        legal_basis,
        observed_at,
        source,
        stream,
        record_key,
        notice_version,
        double_opt_in,
        given_by,
        expires_on,
        collected_by,
        why as reason
    from unknown
),

final as (
    select
        subject,
        customer_id,
        purpose,
        channel,
        case
            when answer in ('denied', 'withdrawn') then answer
            when reason in ('expired', 'double opt-in expired') then 'expired'
            when reason = 'double opt-in pending' then 'pending'
            else 'granted'
        end as state,
        case reason when 'granted' then 'yes' when 'denied' then 'no' when 'withdrawn' then 'no' else 'nothing' end
            as counts_as,
        reason,
        reached_by,
        legal_basis,
        observed_at,
        source,
        stream,
        record_key,
        notice_version,
        double_opt_in,
        given_by,
        expires_on,
        collected_by
    from gathered
    -- a key that a source gave twice counts by its harder answer
    qualify row_number() over (
        partition by subject, purpose, channel, source, stream, record_key
        order by counts_as asc, reason asc, observed_at desc nulls last
    ) = 1
)

select * from final
