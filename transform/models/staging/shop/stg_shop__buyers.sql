with source as (
    select * from {{ source('shop', 'orders') }}
),

accounts as (
    select
        id,
        fold_name(coalesce(nullif(trim(first_name), ''), {{ json_text('billing', '$.first_name') }})) as first_name
    from {{ source('shop', 'customers') }}
    where _deleted_at is null
),

-- a guest, or somebody else of the family who buys on the account: the given name on the order is not the account's
strangers as (
    select source.*
    from source
    left join accounts on source.customer_id = accounts.id
    where
        accounts.id is null
        or fold_name({{ json_text('source.billing', '$.first_name') }}) <> accounts.first_name
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        ---------- person
        {{ json_text('billing', '$.first_name') }} as first_name,
        {{ json_text('billing', '$.last_name') }} as last_name,
        ---------- identifiers
        {{ json_text('billing', '$.email') }} as email,
        {{ json_text('billing', '$.phone') }} as phone,
        ---------- address
        {{ json_text('billing', '$.address_1') }} as street,
        {{ json_text('billing', '$.postcode') }} as postcode,
        {{ json_text('billing', '$.city') }} as city,
        {{ json_text('billing', '$.state') }} as province,
        {{ json_text('billing', '$.country') }} as country,
        ---------- timestamps
        {{ moment('date_created_gmt') }} as first_seen_at,
        {{ moment('date_created_gmt') }} as observed_at
    from strangers
)

select * from renamed
