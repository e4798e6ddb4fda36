with source as (
    select * from {{ ref('stg_shopify__sales') }}
),

-- a sale that Shopify ties to no customer, such as one at a till, names somebody on the order itself or nobody
strangers as (
    select *
    from source
    where
        {{ json_text('customer', '$.id') }} is null
        and coalesce(
            nullif(trim(email), ''), nullif(trim(phone), ''), {{ json_text('billingaddress', '$.lastName') }}
        ) is not null
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        ---------- person
        {{ json_text('billingaddress', '$.firstName') }} as first_name,
        {{ json_text('billingaddress', '$.lastName') }} as last_name,
        ---------- identifiers
        email,
        coalesce(nullif(trim(phone), ''), {{ json_text('billingaddress', '$.phone') }}) as phone,
        ---------- address
        {{ json_text('billingaddress', '$.address1') }} as street,
        {{ json_text('billingaddress', '$.zip') }} as postcode,
        {{ json_text('billingaddress', '$.city') }} as city,
        {{ json_text('billingaddress', '$.provinceCode') }} as province,
        {{ json_text('billingaddress', '$.countryCodeV2') }} as country,
        ---------- timestamps
        {{ moment('processedat') }} as first_seen_at,
        {{ moment('processedat') }} as observed_at
    from strangers
)

select * from renamed
