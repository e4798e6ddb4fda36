with source as (
    select * from {{ source('aftersales', 'registrations') }}
),

renamed as (
    select
        ---------- ids
        'registrations' as stream,
        registration_no as record_key,
        ---------- person
        holder_name as full_name,
        ---------- identifiers
        tax_code,
        email,
        phone,
        ---------- address
        street,
        postcode,
        city,
        ---------- timestamps
        registered_on as first_seen_at,
        coalesce({{ moment('updated_at') }}, {{ moment('registered_on') }}, _sdc_extracted_at) as observed_at
    from source
)

select * from renamed
