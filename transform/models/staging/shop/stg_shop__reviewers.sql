with source as (
    select * from {{ source('shop', 'product_reviews') }}
    where _deleted_at is null
),

renamed as (
    select
        ---------- ids
        'product_reviews' as stream,
        id as record_key,
        ---------- identifiers
        reviewer_email as email,
        ---------- timestamps
        {{ moment('date_created_gmt') }} as observed_at
    from source
)

select * from renamed
