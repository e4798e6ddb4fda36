with source as (
    select * from {{ source('odoo', 'blacklist') }}
    where _deleted_at is null
),

renamed as (
    select
        ---------- ids
        'blacklist' as stream,
        id as record_key,
        ---------- what is to be left alone
        'email' as kind,
        email as value,
        'email_marketing' as purpose,
        'email' as channel,
        'blacklist' as collected_by,
        ---------- timestamps
        coalesce({{ moment('write_date') }}, {{ moment('create_date') }}) as observed_at
    from source
    -- one that was taken off the list again is archived
    where active and email is not null
)

select * from renamed
