{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_known_edges() }}"
) }}

-- depends_on: {{ ref('identity_run') }}
-- depends_on: {{ ref('clustering') }}, {{ ref('likelihood_pairs') }}
with final as (
    select
        record_id,
        evidence
    from {{ ref('edge_prints') }}
    where evidence is not null
)

select * from final
