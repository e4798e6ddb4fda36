with final as (
    select
        customer_id,
        attribute,
        value,
        source,
        stream,
        record_key,
        kind,
        rule,
        is_winner,
        rank,
        part,
        witness,
        lost_to,
        behind,
        observed_at,
        purposes
    from {{ ref('attribute_values') }}

    union all

    select
        customer_id,
        'lifecycle_stage' as attribute,
        lifecycle_stage as value,
        source,
        stream,
        record_key,
        'derived' as kind,
        rule,
        true as is_winner,
        1 as rank,
        'lifecycle_stage' as part,
        1 as witness,
        null as lost_to,
        null as behind,
        {{ moment('last_purchase_on') }} as observed_at,
        purposes
    from {{ ref('customer_lifecycle') }}
)

select * from final
