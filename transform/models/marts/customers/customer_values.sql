{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook='{{ forget_changed_customers() }}'
) }}

-- depends_on: {{ ref('golden_run') }}
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
    where customer_id in (select changed.customer_id from {{ ref('changed_customers') }} as changed)
)

select * from final
