with source as (
    select * from {{ ref('stg_shopify__customers') }}
),

renamed as (
    select
        ---------- ids
        'customers' as stream,
        id as record_key,
        ---------- person
        coalesce(nullif(trim(firstname), ''), {{ json_text('defaultaddress', '$.firstName') }}) as first_name,
        coalesce(nullif(trim(lastname), ''), {{ json_text('defaultaddress', '$.lastName') }}) as last_name,
        ---------- identifiers
        {{ json_text('defaultemailaddress', '$.emailAddress') }} as email,
        {{ json_text('defaultphonenumber', '$.phoneNumber') }} as phone,
        ---------- address
        {{ json_text('defaultaddress', '$.address1') }} as street,
        {{ json_text('defaultaddress', '$.zip') }} as postcode,
        {{ json_text('defaultaddress', '$.city') }} as city,
        {{ json_text('defaultaddress', '$.provinceCode') }} as province,
        {{ json_text('defaultaddress', '$.countryCodeV2') }} as country,
        ---------- person, in what they read
        locale as language,
        ---------- timestamps
        {{ moment('createdat') }} as first_seen_at,
        coalesce({{ moment('updatedat') }}, {{ moment('createdat') }}) as observed_at
    from source
)

select * from renamed
