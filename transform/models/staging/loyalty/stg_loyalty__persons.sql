with source as (
    select * from {{ source('loyalty', 'cards') }}
),

renamed as (
    select
        ---------- ids
        'cards' as stream,
        card_no as record_key,
        ---------- person
        first_name,
        last_name,
        birth_date,
        sex,
        ---------- identifiers
        tax_code,
        email,
        phone,
        ---------- address
        street,
        postcode,
        city,
        province,
        ---------- timestamps
        issued_on as first_seen_at,
        coalesce({{ moment('issued_on') }}, _sdc_extracted_at) as observed_at
    from source
)

select * from renamed
