with source as (
    select * from {{ source('odoo', 'partners') }}
    where _deleted_at is null
),

-- an address for bills or goods stands for the partner that it belongs to
meant as (
    select
        id,
        case when type = 'contact' then id else parent_id end as meant_id
    from source
),

persons as (
    select record_key from {{ ref('stg_odoo__persons') }}
),

renamed as (
    select
        ---------- ids
        meant.id as partner_key,
        'partners' as person_stream,
        persons.record_key as person_key
    from meant
    inner join persons on meant.meant_id = persons.record_key
)

select * from renamed
