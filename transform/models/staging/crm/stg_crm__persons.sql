with source as (
    select * from {{ source('crm', 'customers') }}
),

renamed as (
    select
        ---------- ids
        'customers' as stream,
        customer_no as record_key,
        ---------- person
        first_name,
        last_name,
        birth_date,
        sex,
        language,
        ---------- identifiers
        tax_code,
        email,
        mobile,
        phone,
        ---------- address
        street,
        postcode,
        city,
        province,
        country,
        ---------- timestamps
        created_at as first_seen_at,
        coalesce(updated_at, created_at, _sdc_extracted_at) as observed_at
    from source
)

select * from renamed
