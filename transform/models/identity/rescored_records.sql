with present as (
    select * from {{ ref('edge_prints') }}
),

before as (
    {{ kept({'record_id': 'bigint', 'evidence': 'bigint'}, 'known_edges') }}
),

joined_otherwise as (
    select present.record_id
    from present
    left join before on present.record_id = before.record_id
    where present.evidence is distinct from before.evidence
),

-- who has no look any more has changed
final as (
    select
        record,
        record_id
    from {{ ref('changed_records') }}

    union

    select
        persons.record,
        persons.record_id
    from joined_otherwise
    inner join {{ ref('person_looks') }} as persons on joined_otherwise.record_id = persons.record_id
)

select * from final
