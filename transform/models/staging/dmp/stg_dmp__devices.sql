with devices as (
    select * from {{ ref('stg_dmp__linked_devices') }}
),

mailboxes as (
    select * from {{ ref('stg_dmp__mailboxes') }}
),

renamed as (
    select
        ---------- ids
        'id_links' as stream,
        devices.device as record_key,
        ---------- identifiers
        mailboxes.email,
        ---------- timestamps
        devices.observed_at
    from devices
    left join mailboxes on devices.email_sha256 = mailboxes.email_sha256
)

select * from renamed
