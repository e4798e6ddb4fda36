with source as (
    select * from {{ source('crm', 'consents') }}
),

renamed as (
    select
        ---------- ids
        'consents' as stream,
        consent_id as record_key,
        'customers' as person_stream,
        customer_no as person_key,
        ---------- consent
        lower(trim(purpose)) as purpose,
        coalesce(nullif(lower(trim(channel)), ''), 'any') as channel,
        case when granted then 'granted' else 'denied' end as state,
        legal_basis,
        notice_version,
        collected_by,
        ---------- timestamps
        coalesce(given_at, updated_at, _sdc_extracted_at) as observed_at
    from source
    -- a row that does not say whether is no evidence either way
    where granted is not null and purpose is not null
)

select * from renamed
