with source as (
    select * from {{ source('loyalty', 'cards') }}
),

-- one tick on the card's form covers the three ways of writing
purposes as (
    select
        'email_marketing' as purpose,
        'email' as channel,
        'marketing' as tick
    union all
    select
        'sms_marketing' as purpose,
        'sms' as channel,
        'marketing' as tick
    union all
    select
        'phone_marketing' as purpose,
        'phone' as channel,
        'marketing' as tick
    union all
    select
        'profiling' as purpose,
        'any' as channel,
        'profiling' as tick
),

ticked as (
    select
        source.card_no,
        source.issued_on,
        source._sdc_extracted_at,
        purposes.purpose,
        purposes.channel,
        upper(trim(
            case purposes.tick when 'marketing' then source.consent_marketing else source.consent_profiling end
        )) as tick
    from source
    cross join purposes
),

renamed as (
    select
        ---------- ids
        'cards' as stream,
        card_no as record_key,
        'cards' as person_stream,
        card_no as person_key,
        ---------- consent
        purpose,
        channel,
        case tick when 'S' then 'granted' else 'denied' end as state,
        'consent' as legal_basis,
        'loyalty card form' as collected_by,
        ---------- timestamps
        coalesce({{ moment('issued_on') }}, _sdc_extracted_at) as observed_at
    from ticked
    where tick in ('S', 'N')
)

select * from renamed
