with source as (
    select * from {{ ref('stg_suitecrm__people') }}
),

renamed as (
    select
        ---------- ids
        stream,
        record_key,
        ---------- person
        first_name,
        last_name,
        birthdate as birth_date,
        ---------- identifiers
        email1 as email,
        phone_mobile as mobile,
        -- a telephone at work is the company's, and would make one person of its people
        phone_home as phone,
        ---------- address
        primary_address_street as street,
        primary_address_postalcode as postcode,
        primary_address_city as city,
        primary_address_state as province,
        primary_address_country as country,
        ---------- timestamps
        {{ moment('date_entered') }} as first_seen_at,
        changed_at as observed_at
    from source
)

select * from renamed
