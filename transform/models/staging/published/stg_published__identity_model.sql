with source as (
    select * from {{ source('published', 'identity_model') }}
),

renamed as (
    select
        model,
        records
    from source
)

select * from renamed
