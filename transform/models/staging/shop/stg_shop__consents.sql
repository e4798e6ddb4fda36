with source as (
    select * from {{ source('shop', 'customers') }}
    where _deleted_at is null
),

-- the two boxes of the registration
answered as (
    select
        *,
        'email_marketing' as purpose,
        'email' as channel,
        lower({{ json_entry('meta_data', '_newsletter') }}) as answer
    from source
    union all
    select
        *,
        'ads_audiences' as purpose,
        'ads' as channel,
        lower({{ json_entry('meta_data', '_audiences') }}) as answer
    from source
),

renamed as (
    select
        ---------- ids
        'customers' as stream,
        id as record_key,
        'customers' as person_stream,
        id as person_key,
        ---------- consent
        purpose,
        channel,
        case answer when 'yes' then 'granted' else 'denied' end as state,
        'consent' as legal_basis,
        'shop account' as collected_by,
        ---------- timestamps
        coalesce({{ moment('date_modified_gmt') }}, {{ moment('date_created_gmt') }}) as observed_at
    from answered
    where answer in ('yes', 'no')
)

select * from renamed
