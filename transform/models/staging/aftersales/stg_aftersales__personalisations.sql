with source as (
    select * from {{ source('aftersales', 'personalisations') }}
),

renamed as (
    select
        ---------- ids
        'personalisations' as stream,
        order_no as record_key,
        'registrations' as person_stream,
        registration_no as person_key,
        order_no,
        ---------- order
        'completed' as status,
        true as is_counted,
        'EUR' as currency,
        amount as total,
        'dealer' as channel,
        ---------- timestamps
        ordered_on as ordered_at
    from source
)

select * from renamed
