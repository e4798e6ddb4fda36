with source as (
    select * from {{ source('aftersales', 'registrations') }}
),

renamed as (
    select
        ---------- ids
        'registrations' as stream,
        registration_no as record_key,
        'registrations' as person_stream,
        registration_no as person_key,
        ---------- event
        'product_registration' as kind,
        'after_sales' as channel,
        concat_ws('; ', product, serial_no) as detail,
        ---------- timestamps
        registered_on as occurred_at
    from source
)

select * from renamed
