with source as (
    select * from {{ source('shop', 'customers') }}
    where _deleted_at is null
),

renamed as (
    select
        ---------- ids
        'customers' as stream,
        id as record_key,
        ---------- person
        coalesce(nullif(trim(first_name), ''), {{ json_text('billing', '$.first_name') }}) as first_name,
        coalesce(nullif(trim(last_name), ''), {{ json_text('billing', '$.last_name') }}) as last_name,
        ---------- identifiers
        {{ json_entry('meta_data', '_codice_fiscale') }} as tax_code,
        email,
        {{ json_text('billing', '$.phone') }} as phone,
        ---------- address
        {{ json_text('billing', '$.address_1') }} as street,
        {{ json_text('billing', '$.postcode') }} as postcode,
        {{ json_text('billing', '$.city') }} as city,
        {{ json_text('billing', '$.state') }} as province,
        {{ json_text('billing', '$.country') }} as country,
        ---------- timestamps
        {{ moment('date_created_gmt') }} as first_seen_at,
        coalesce(
            {{ moment('date_modified_gmt') }}, {{ moment('date_created_gmt') }}, _sdc_extracted_at
        ) as observed_at
    from source
)

select * from renamed
