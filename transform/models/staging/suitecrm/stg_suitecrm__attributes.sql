with contacts as (
    select * from {{ source('suitecrm', 'contacts') }}
    where _deleted_at is null
),

accounts as (
    select * from {{ source('suitecrm', 'accounts') }}
    where _deleted_at is null
),

joined as (
    select
        contacts.id,
        contacts.date_modified,
        contacts._sdc_extracted_at,
        coalesce(nullif(trim(accounts.name), ''), nullif(trim(contacts.account_name), '')) as account,
        nullif(trim(accounts.industry), '') as industry
    from contacts
    left join accounts on contacts.account_id = accounts.id
),

told as (
    select
        *,
        'account' as attribute,
        account as value
    from joined
    union all
    select
        *,
        'industry' as attribute,
        industry as value
    from joined
),

renamed as (
    select
        ---------- ids
        'contacts' as stream,
        id || '-' || attribute as record_key,
        'contacts' as person_stream,
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
