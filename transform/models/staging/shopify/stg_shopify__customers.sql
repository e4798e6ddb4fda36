with source as (
    select * from {{ source('shopify', 'customers') }}
),

deleted as (
    select id
    from {{ source('shopify', 'customer_keys') }}
    where _deleted_at is not null
),

-- the shop deleted the customer, or Shopify erased what it knew of them: nobody is left to be known
kept as (
    select
        source.id,
        source.firstname,
        source.lastname,
        source.locale,
        source.createdat,
        source.updatedat,
        source.defaultemailaddress,
        source.defaultphonenumber,
        source.defaultaddress,
        source.emailmarketingconsent,
        source.smsmarketingconsent
    from source
    left join deleted on source.id = deleted.id
    where
        deleted.id is null
        and coalesce({{ json_text('source.emailmarketingconsent', '$.marketingState') }}, '') <> 'REDACTED'
        and coalesce({{ json_text('source.smsmarketingconsent', '$.marketingState') }}, '') <> 'REDACTED'
)

select * from kept
