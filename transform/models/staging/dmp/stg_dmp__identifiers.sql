with devices as (
    select * from {{ ref('stg_dmp__linked_devices') }}
),

renamed as (
    select
        ---------- ids
        'id_links' as stream,
        device as record_key,
        ---------- identifier
        'card' as kind,
        card as value
    from devices
    where card is not null

    union all

    select
        'id_links' as stream,
        device as record_key,
        'device' as kind,
        id as value
    from devices
)

select * from renamed
