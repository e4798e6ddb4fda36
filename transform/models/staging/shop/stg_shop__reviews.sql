with source as (
    select * from {{ source('shop', 'product_reviews') }}
    where _deleted_at is null
),

renamed as (
    select
        ---------- ids
        'product_reviews' as stream,
        id as record_key,
        'product_reviews' as person_stream,
        id as person_key,
        product_id as product_key,
        ---------- review
        product_name as product,
        rating,
        verified as is_verified,
        status,
        review,
        ---------- timestamps
        {{ moment('date_created_gmt') }} as reviewed_at
    from source
)

select * from renamed
