with source as (
    select * from {{ source('dmp', 'id_links') }}
),

links as (
    select
        provider || '/' || id_type || '/' || id as device,
        id,
        lower(trim(key_type)) as key_type,
        case lower(trim(key_type))
            when 'email_sha256' then lower(trim(key))
            else upper(regexp_replace(key, '[^A-Za-z0-9]', '', 'g'))
        end as key,
        has_consent,
        coalesce(linked_at, {{ delivery_day() }}, _sdc_extracted_at) as observed_at
    from source
    where _deleted_at is null and coalesce(cast(expires_at as date) > {{ today() }}, true)
),

-- several keys of one kind are several people, whoever of them agreed; who refuses, refuses for the device
counted as (
    select
        *,
        bool_or(coalesce(not has_consent, false)) over (partition by device) as is_refused,
        count(distinct key) over (partition by device, key_type) as keys
    from links
),

judged as (
    select
        *,
        max(keys) over (partition by device) as most_keys
    from counted
),

final as (
    select
        device,
        min(id) as id,
        max(case when key_type = 'email_sha256' then key end) as email_sha256,
        max(case when key_type = 'card' then key end) as card,
        max(observed_at) as observed_at
    from judged
    where has_consent and not is_refused and most_keys = 1 and key_type in ('email_sha256', 'card')
    group by device
)

select * from final
