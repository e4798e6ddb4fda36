with source as (
    select * from {{ source('medusa', 'returns') }}
    where status <> 'canceled'
),

orders as (
    select
        record_key,
        person_stream,
        person_key
    from {{ ref('stg_medusa__orders') }}
),

renamed as (
    select
        ---------- ids
        'returns' as stream,
        source.id as record_key,
        orders.person_stream,
        orders.person_key,
        ---------- interaction
        'return' as kind,
        'shop' as channel,
        source.status as detail,
        ---------- timestamps
        {{ moment('source.created_at') }} as occurred_at
    from source
    inner join orders on source.order_id = orders.record_key
)

select * from renamed
