with source as (
    select * from {{ ref('stg_suitecrm__people') }}
),

said as (
    select
        stream,
        record_key,
        'email_marketing' as purpose,
        'email' as channel,
        'withdrawn' as state,
        null as legal_basis,
        changed_at as observed_at
    from source
    where is_opted_out
    union all
    select
        stream,
        record_key,
        'phone_marketing' as purpose,
        'phone' as channel,
        'withdrawn' as state,
        null as legal_basis,
        changed_at as observed_at
    from source
    where is_not_to_call
    union all
    select
        stream,
        record_key,
        'all' as purpose,
        'any' as channel,
        'withdrawn' as state,
        null as legal_basis,
        changed_at as observed_at
    from source
    where bases like '%^withdrawn^%'
    union all
    -- a consent without a day is no evidence, nor is one beside a withdrawal
    select
        stream,
        record_key,
        'email_marketing' as purpose,
        'email' as channel,
        'granted' as state,
        'consent' as legal_basis,
        {{ moment('date_reviewed') }} as observed_at
    from source
    where bases like '%^consent^%' and bases not like '%^withdrawn^%' and not is_opted_out and date_reviewed is not null
),

renamed as (
    select
        ---------- ids
        stream,
        record_key,
        stream as person_stream,
        record_key as person_key,
        ---------- consent
        purpose,
        channel,
        state,
        legal_basis,
        'CRM' as collected_by,
        ---------- timestamps
        observed_at
    from said
)

select * from renamed
