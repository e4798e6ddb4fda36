with source as (
    select * from {{ source('dmp', 'memberships') }}
),

taxonomy as (
    select
        provider,
        segment_id,
        name
    from {{ source('dmp', 'taxonomy') }}
    where _deleted_at is null
),

devices as (
    select * from {{ ref('stg_dmp__linked_devices') }}
),

members as (
    select
        provider,
        segment_id,
        segment_name,
        provider || '/' || id_type || '/' || id as device,
        valid_from,
        valid_until,
        ttl_days,
        coalesce(valid_from, {{ delivery_day() }}, _sdc_extracted_at) as observed_at
    from source
    where _deleted_at is null and coalesce(is_member, true)
),

ending as (
    select
        *,
        coalesce(cast(valid_until as date), {{ days_after('cast(observed_at as date)', 'ttl_days') }}) as last_day
    from members
),

living as (
    select * from ending
    where
        coalesce(cast(valid_from as date) <= {{ today() }}, true)
        and coalesce(last_day > {{ today() }}, true)
),

renamed as (
    select
        ---------- ids
        'memberships' as stream,
        living.device || '/' || living.segment_id as record_key,
        'id_links' as person_stream,
        living.device as person_key,
        ---------- attribute
        'dmp_segment_' || trim(
            regexp_replace(lower(living.provider || '_' || living.segment_id), '[^a-z0-9]+', '_', 'g'), '_'
        ) as attribute,
        coalesce(taxonomy.name, living.segment_name, living.segment_id) as value,
        'derived' as kind,
        ---------- timestamps
        living.observed_at
    from living
    inner join devices on living.device = devices.device
    left join taxonomy on living.provider = taxonomy.provider and living.segment_id = taxonomy.segment_id
)

select * from renamed
