{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_records('reweighed_records') }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('reweighed_records') }}
-- depends_on: {{ ref('clustering') }}, {{ ref('likelihood_pairs') }}
with final as (
    select
        prints.record,
        prints.record_id,
        prints.print as row_print,
        contents.content
    from {{ ref('row_prints') }} as prints
    left join {{ ref('record_prints') }} as contents on prints.record = contents.record
    where {{ only_changed('prints.record', 'reweighed_records') }}
)

select * from final
