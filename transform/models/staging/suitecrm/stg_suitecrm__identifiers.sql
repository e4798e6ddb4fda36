with source as (
    select * from {{ ref('stg_suitecrm__people') }}
),

told as (
    select
        stream,
        record_key,
        lower(trim(replace({{ json_text('extra', '$.bluesky_c') }}, '@', ''))) as handle
    from source
),

renamed as (
    select
        ---------- ids
        stream,
        record_key,
        ---------- identifier
        'handle' as kind,
        handle as value
    from told
    where handle <> ''
)

select * from renamed
