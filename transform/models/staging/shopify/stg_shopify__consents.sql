with source as (
    select * from {{ ref('stg_shopify__customers') }}
),

answers as (
    select
        id,
        createdat,
        'email_marketing' as purpose,
        'email' as channel,
        {{ json_text('emailmarketingconsent', '$.marketingState') }} as answer,
        {{ json_text('emailmarketingconsent', '$.marketingOptInLevel') }} as opt_in,
        {{ json_text('emailmarketingconsent', '$.consentUpdatedAt') }} as answered_at
    from source
    union all
    select
        id,
        createdat,
        'sms_marketing' as purpose,
        'sms' as channel,
        {{ json_text('smsmarketingconsent', '$.marketingState') }} as answer,
        {{ json_text('smsmarketingconsent', '$.marketingOptInLevel') }} as opt_in,
        {{ json_text('smsmarketingconsent', '$.consentUpdatedAt') }} as answered_at
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
        case answer when 'SUBSCRIBED' then 'granted' when 'PENDING' then 'pending' else 'withdrawn' end as state,
        case answer when 'UNSUBSCRIBED' then null else 'consent' end as legal_basis,
        case
            when answer = 'PENDING' then 'requested'
            when answer = 'SUBSCRIBED' and opt_in = 'CONFIRMED_OPT_IN' then 'confirmed'
        end as double_opt_in,
        'Shopify' as collected_by,
        ---------- timestamps
        -- where the moment is not told, a yes is as old as the customer, and a no as young as can be
        coalesce(
            {{ moment('answered_at') }},
            case when answer <> 'UNSUBSCRIBED' then {{ moment('createdat') }} end
        ) as observed_at
    from answers
    -- who never answered (NOT_SUBSCRIBED), or has an address that is none (INVALID), said nothing
    where answer in ('SUBSCRIBED', 'PENDING', 'UNSUBSCRIBED')
)

select * from renamed
