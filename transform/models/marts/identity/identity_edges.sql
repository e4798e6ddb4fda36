{{ config(materialized='view') }}

with clusters as (
    select
        record,
        cluster
    from {{ ref('record_clusters') }}
),

final as (
    select
        edges.left_record,
        edges.right_record,
        edges.rule,
        edges.identifier_kind,
        edges.strength,
        lefts.cluster = rights.cluster as kept
    from {{ ref('person_edges') }} as edges
    inner join clusters as lefts on edges.left_record = lefts.record
    inner join clusters as rights on edges.right_record = rights.record
)

select * from final
