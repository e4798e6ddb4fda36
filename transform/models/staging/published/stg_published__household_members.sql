with source as (
    select * from {{ source('published', 'household_members') }}
),

renamed as (
    select
        ---------- ids
        customer_id as record,
        household_id
    from source
)

select * from renamed
