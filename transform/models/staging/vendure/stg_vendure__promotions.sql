with source as (
    select * from {{ source('vendure', 'promotions') }}
    where _deleted_at is null
),

renamed as (
    select
        ---------- ids
        'promotions' as stream,
        id as record_key,
        ---------- promotion
        name,
        couponcode as coupon_code,
        enabled as is_enabled,
        ---------- timestamps
        {{ moment('startsat') }} as starts_at,
        {{ moment('endsat') }} as ends_at,
        {{ moment('updatedat') }} as updated_at
    from source
)

select * from renamed
