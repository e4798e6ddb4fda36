with source as (
    select * from {{ source('medusa', 'customers') }}
    where _deleted_at is null
),

addresses as (
    select
        id,
        {{ json_rows('addresses') }} as address
    from source
),

-- the address that bills go to, else the first that was written down
homes as (
    select
        id,
        max({{ moment(json_text('address', '$.updated_at')) }}) as told_at,
        min_by(
            address::string,
            case when {{ json_text('address', '$.is_default_billing') }} = 'true' then '0' else '1' end
            || {{ json_text('address', '$.id') }}
        ) as address
    from addresses
    group by id
),

joined as (
    select
        source.*,
        homes.address,
        homes.told_at
    from source
    left join homes on source.id = homes.id
),

renamed as (
    select
        ---------- ids
        'customers' as stream,
        id as record_key,
        ---------- person
        coalesce(nullif(trim(first_name), ''), {{ json_text('address', '$.first_name') }}) as first_name,
        coalesce(nullif(trim(last_name), ''), {{ json_text('address', '$.last_name') }}) as last_name,
        ---------- identifiers
        email,
        coalesce(nullif(trim(phone), ''), {{ json_text('address', '$.phone') }}) as phone,
        ---------- address
        {{ json_text('address', '$.address_1') }} as street,
        {{ json_text('address', '$.postal_code') }} as postcode,
        {{ json_text('address', '$.city') }} as city,
        {{ json_text('address', '$.province') }} as province,
        upper({{ json_text('address', '$.country_code') }}) as country,
        ---------- timestamps
        {{ moment('created_at') }} as first_seen_at,
        greatest({{ moment('updated_at') }}, coalesce(told_at, {{ moment('updated_at') }})) as observed_at
    from joined
)

select * from renamed
