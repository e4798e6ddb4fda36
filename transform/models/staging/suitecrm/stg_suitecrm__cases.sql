with source as (
    select * from {{ source('suitecrm', 'cases') }}
    where _deleted_at is null
),

renamed as (
    select
        ---------- ids
        'cases' as stream,
        id as record_key,
        'contacts' as person_stream,
        contact_created_by_id as person_key,
        ---------- event
        'case' as kind,
        'service' as channel,
        concat_ws('; ', nullif(type, ''), nullif(status, ''), nullif(priority, '')) as detail,
        ---------- timestamps
        {{ moment('date_entered') }} as occurred_at
    from source
    where contact_created_by_id is not null
)

select * from renamed
