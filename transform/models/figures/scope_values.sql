{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook='{{ forget_changed_customers() }}'
) }}

-- depends_on: {{ ref('golden_run') }}, {{ ref('changed_customers') }}
-- purposes that may know the same sources of a customer share what they know
with scopes as (
    select distinct
        customer_id,
        scope
    from {{ ref('customer_scopes') }}
    where {{ only_changed('customer_id', 'changed_customers', 'customer_id') }}
),

permissions as (
    select * from {{ ref('source_permissions') }}
),

-- the best that may be known; a name or an address comes whole from the best record
best as (
    select
        scopes.customer_id,
        scopes.scope,
        {{ best_lone_values('said') }},
        min_by(said.record, said.witness) filter (where said.part = 'name') as name_record,
        min_by(said.record, said.witness) filter (where said.part = 'address') as address_record
    from {{ ref('value_witnesses') }} as said
    inner join permissions on said.source = permissions.source
    inner join scopes
        on
            said.customer_id = scopes.customer_id
            and (permissions.source_bit & scopes.scope) <> 0
    where coalesce(said.lost_to, '') <> 'max_age_days'
    group by scopes.customer_id, scopes.scope
),

final as (
    select
        best.customer_id,
        best.scope,
        {{ golden_columns('best', 'names', 'homes') }},
        names.last_key,
        homes.street_key,
        name_notices.purposes as name_purposes,
        address_notices.purposes as address_purposes
    from best
    left join {{ ref('person_records') }} as names on best.name_record = names.record
    left join {{ ref('person_records') }} as homes on best.address_record = homes.record
    left join permissions as name_notices on names.source = name_notices.source
    left join permissions as address_notices on homes.source = address_notices.source
)

select * from final
