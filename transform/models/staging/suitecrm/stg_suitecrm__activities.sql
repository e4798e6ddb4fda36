with calls as (
    select * from {{ source('suitecrm', 'calls') }}
    where _deleted_at is null
),

meetings as (
    select * from {{ source('suitecrm', 'meetings') }}
    where _deleted_at is null
),

held as (
    select
        'calls' as stream,
        id,
        'call' as kind,
        'phone' as channel,
        parent_type,
        parent_id,
        direction,
        duration_hours,
        duration_minutes,
        date_start
    from calls
    where status = 'Held'
    union all
    select
        'meetings' as stream,
        id,
        'meeting' as kind,
        'in_person' as channel,
        parent_type,
        parent_id,
        null as direction,
        duration_hours,
        duration_minutes,
        date_start
    from meetings
    where status = 'Held'
),

renamed as (
    select
        ---------- ids
        stream,
        id as record_key,
        lower(parent_type) as person_stream,
        parent_id as person_key,
        ---------- event
        kind,
        channel,
        concat_ws(
            '; ',
            lower(nullif(direction, '')),
            (60 * coalesce(duration_hours, 0) + coalesce(duration_minutes, 0))::string || ' min'
        ) as detail,
        ---------- timestamps
        {{ moment('date_start') }} as occurred_at
    from held
    -- what is about an account is about none of its people
    where parent_type in ('Contacts', 'Leads') and parent_id is not null and date_start is not null
)

select * from renamed
