with contacts as (
    select * from {{ source('suitecrm', 'contacts') }}
    where _deleted_at is null
),

leads as (
    select * from {{ source('suitecrm', 'leads') }}
    where _deleted_at is null
),

accounts as (
    select * from {{ source('suitecrm', 'accounts') }}
    where _deleted_at is null
),

campaigns as (
    select * from {{ source('suitecrm', 'campaigns') }}
    where _deleted_at is null
),

employed as (
    select
        contacts.id,
        contacts.date_modified,
        contacts._sdc_extracted_at,
        coalesce(nullif(trim(accounts.name), ''), nullif(trim(contacts.account_name), '')) as account,
        nullif(trim(accounts.industry), '') as industry
    from contacts
    left join accounts on contacts.account_id = accounts.id
),

won as (
    select
        'contacts' as stream,
        id,
        campaign_id,
        date_modified,
        _sdc_extracted_at
    from contacts
    union all
    select
        'leads' as stream,
        id,
        campaign_id,
        date_modified,
        _sdc_extracted_at
    from leads
),

told as (
    select
        'contacts' as stream,
        id,
        'account' as attribute,
        account as value,
        date_modified,
        _sdc_extracted_at
    from employed
    union all
    select
        'contacts' as stream,
        id,
        'industry' as attribute,
        industry as value,
        date_modified,
        _sdc_extracted_at
    from employed
    union all
    select
        won.stream,
        won.id,
        'campaign' as attribute,
        nullif(trim(campaigns.name), '') as value,
        won.date_modified,
        won._sdc_extracted_at
    from won
    inner join campaigns on won.campaign_id = campaigns.id
),

renamed as (
    select
        ---------- ids
        stream,
        id || '-' || attribute as record_key,
        stream as person_stream,
        id as person_key,
        ---------- attribute
        attribute,
        value,
        'explicit' as kind,
        ---------- timestamps
        coalesce({{ moment('date_modified') }}, _sdc_extracted_at) as observed_at
    from told
    where value is not null
)

select * from renamed
