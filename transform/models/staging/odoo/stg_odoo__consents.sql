with source as (
    select * from {{ source('odoo', 'partners') }}
    where _deleted_at is null
),

persons as (
    select record_key from {{ ref('stg_odoo__persons') }}
),

-- Odoo says who wants no letters; of who wants some it says nothing
renamed as (
    select
        ---------- ids
        'partners' as stream,
        source.id as record_key,
        'partners' as person_stream,
        source.id as person_key,
        ---------- consent
        'email_marketing' as purpose,
        'email' as channel,
        'withdrawn' as state,
        'blacklist' as collected_by,
        ---------- timestamps
        coalesce({{ moment('source.write_date') }}, {{ moment('source.create_date') }}) as observed_at
    from source
    inner join persons on source.id = persons.record_key
    where source.is_blacklisted
)

select * from renamed
