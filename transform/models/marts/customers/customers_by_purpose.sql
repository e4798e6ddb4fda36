{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_changed_customers('changed_views') }}"
) }}

-- depends_on: {{ ref('golden_run') }}
with final as (
    {{ customer_view() }}
    where
        known.purpose <> 'everything'
        and known.customer_id in (select changed.customer_id from {{ ref('changed_views') }} as changed)
        -- whom only what a purpose may not know makes one person is none to it
        and (known.customer_id, known.purpose) not in (
            select (bridged.customer_id, bridged.purpose) from {{ ref('purpose_parts') }} as bridged
        )
)

select * from final
