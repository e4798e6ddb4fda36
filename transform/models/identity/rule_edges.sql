{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_edges_of_rescored_records() }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('rescored_records') }}
with shared as (
    select
        left_id,
        right_id,
        rule,
        share,
        max(strength) as strength
    from {{ ref('shared_evidence') }}
    where
        {{ only_changed('left_id', 'rescored_records', 'record_id') }}
        or {{ only_changed('right_id', 'rescored_records', 'record_id') }}
    group by left_id, right_id, rule, share
),

persons as (
    select
        record_id,
        record
    from {{ ref('person_looks') }}
),

final as (
    select
        least(lefts.record, rights.record) as left_record,
        greatest(lefts.record, rights.record) as right_record,
        shared.rule,
        shared.share as identifier_kind,
        shared.strength
    from shared
    inner join persons as lefts on shared.left_id = lefts.record_id
    inner join persons as rights on shared.right_id = rights.record_id
)

select * from final
