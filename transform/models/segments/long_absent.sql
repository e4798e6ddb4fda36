{% macro segment__long_absent() %}{{ return('long_absent') }}{% endmacro %}

with rfm as (
    select * from {{ ref('customer_rfm') }}
),

permitted as (
    select
        source,
        purposes
    from {{ ref('source_permissions') }}
    where {{ permits('purposes', 'profiling') }}
),

-- what a person does of their own accord; a newsletter or a bill that was sent to them is not a sign of life
signs as (
    select
        interactions.customer_id,
        max(cast(interactions.occurred_at as date)) as last_sign_on,
        {{ common_purposes('permitted.purposes') }} as purposes
    from {{ ref('interactions') }} as interactions
    inner join permitted on interactions.source = permitted.source
    where
        interactions.kind not in (
            'newsletter_sent', 'newsletter_bounce', 'newsletter_unsubscribe', 'invoice', 'credit_note', 'refund'
        )
    group by interactions.customer_id
),

final as (
    select
        rfm.customer_id,
        'nothing heard since ' || greatest(rfm.last_purchase_on, signs.last_sign_on)::string || ', after '
        || {{ counted('rfm.frequency', 'purchase') }}
        || ' worth ' || rfm.monetary::decimal(18, 2)::string || ' EUR' as reason,
        signs.purposes
    from rfm
    inner join signs on rfm.customer_id = signs.customer_id
    where
        {{ days_between('greatest(rfm.last_purchase_on, signs.last_sign_on)', today()) }}
        > {{ var('long_absent_days') }}
)

select * from final
