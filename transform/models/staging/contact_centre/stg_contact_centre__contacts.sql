with source as (
    select * from {{ source('contact_centre', 'calls') }}
),

renamed as (
    select
        ---------- ids
        'calls' as stream,
        uniqueid as record_key,
        ---------- identifiers
        {{ caller() }} as phone,
        ---------- timestamps
        started_at as observed_at
    from source
)

select * from renamed
