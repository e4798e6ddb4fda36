{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook='{{ forget_changed_customers() }}'
) }}

-- depends_on: {{ ref('golden_run') }}
-- purposes that may know the same sources of a customer share what they know
with scopes as (
    select distinct
        customer_id,
        scope
    from {{ ref('customer_scopes') }}
    where customer_id in (select changed.customer_id from {{ ref('changed_customers') }} as changed)
),

candidates as (
    select
        scopes.customer_id,
        scopes.scope,
        said.attribute,
        said.part,
        said.value,
        said.purposes,
        said.rank,
        said.witness,
        min(said.witness) over (partition by scopes.customer_id, scopes.scope, said.part) as best_witness
    from {{ ref('customer_values') }} as said
    inner join {{ ref('source_permissions') }} as permissions on said.source = permissions.source
    inner join scopes
        on
            said.customer_id = scopes.customer_id
            and (permissions.source_bit & scopes.scope) <> 0
    where said.part <> 'lifecycle_stage' and coalesce(said.lost_to, '') <> 'max_age_days'
),

-- a name or an address comes whole from the best record that may be known
final as (
    select
        customer_id,
        scope,
        {{ best_values(golden_attributes()) }},
        min_by(purposes, rank) filter (where part = 'name') as name_purposes,
        min_by(purposes, rank) filter (where part = 'address') as address_purposes
    from candidates
    where witness = best_witness
    group by customer_id, scope
)

select * from final
