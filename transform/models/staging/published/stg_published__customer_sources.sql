with source as (
    select * from {{ source('published', 'customer_sources') }}
),

renamed as (
    select
        ---------- ids
        {{ record() }} as record,
        customer_id
    from source
)

select * from renamed
