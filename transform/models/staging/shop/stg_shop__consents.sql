with source as (
    select * from {{ source('shop', 'customers') }}
    where _deleted_at is null
),

renamed as (
    select
        ---------- ids
        'customers' as stream,
        id as record_key,
        'customers' as person_stream,
        id as person_key,
        ---------- consent
        'email_marketing' as purpose,
        'email' as channel,
        case lower({{ json_entry('meta_data', '_newsletter') }}) when 'yes' then 'granted' else 'denied' end as state,
        'consent' as legal_basis,
        'shop account' as collected_by,
        ---------- timestamps
        coalesce({{ moment('date_modified_gmt') }}, {{ moment('date_created_gmt') }}) as observed_at
    from source
    where lower({{ json_entry('meta_data', '_newsletter') }}) in ('yes', 'no')
)

select * from renamed
