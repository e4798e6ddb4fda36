with observed as (
    select * from {{ ref('observed_identifiers') }}
),

others as (
    select distinct
        kind,
        raw
    from observed
    where kind in ('card', 'device')
),

-- each distinct value is judged once; what is a way of writing nothing is told elsewhere
faults as (
    select
        'email' as kind,
        raw,
        null as country,
        case when email_is_placeholder(raw) then 'email_placeholder' else 'email_not_valid' end as rule
    from {{ ref('email_values') }}
    where email is null and null_like(raw) is not null

    union all

    select
        'phone' as kind,
        raw,
        country,
        case when normalise_phone(raw, country) is null then 'phone_not_valid' else 'phone_placeholder' end as rule
    from {{ ref('phone_values') }}
    where phone is null and null_like(raw) is not null

    union all

    select
        'tax_code' as kind,
        raw,
        null as country,
        case tax_code_fault(raw)
            when 'shape' then 'tax_code_malformed'
            when 'birth' then 'tax_code_impossible_birth'
            else 'tax_code_mistyped'
        end as rule
    from {{ ref('tax_code_values') }}
    where canonical is null and tax_code_fault(raw) is not null

    union all

    select
        kind,
        raw,
        null as country,
        kind || '_not_valid' as rule
    from others
    where
        case kind when 'card' then normalise_card(raw) else normalise_device(raw) end is null
        and null_like(raw) is not null
),

found as (
    select distinct
        faults.rule,
        observed.source,
        observed.record
    from observed
    inner join faults
        on
            observed.kind = faults.kind
            and observed.raw = faults.raw
            and observed.country = coalesce(faults.country, observed.country)

    union all

    select distinct
        case when blocked.reason = 'blocklist' then 'identifier_blocked' else 'identifier_over_limit' end as rule,
        identifiers.source,
        identifiers.record
    from {{ ref('record_identifiers') }} as identifiers
    inner join {{ ref('blocked_identifiers') }} as blocked
        on identifiers.kind = blocked.kind and identifiers.value = blocked.value
),

final as (
    select
        rule,
        source,
        {{ stream_of() }} as stream,
        {{ key_of() }} as record_key,
        1 as findings
    from found
)

select * from final
