with present as (
    select * from {{ ref('edge_prints') }}
),

before as (
    select
        id as record_id,
        print as evidence
    from ({{ kept({'what': 'string', 'id': 'bigint', 'print': 'bigint'}, 'known_prints') }}) as known
    where what = 'edges'
),

joined_otherwise as (
    select coalesce(present.record_id, before.record_id) as record_id
    from present
    full outer join before on present.record_id = before.record_id
    where present.evidence is distinct from before.evidence
),

-- who has no look any more has changed
final as (
    select
        record,
        {{ print_of(['record']) }} as record_id
    from {{ ref('changed_records') }}

    union

    select
        persons.record,
        persons.record_id
    from joined_otherwise
    inner join {{ ref('person_looks') }} as persons on joined_otherwise.record_id = persons.record_id
)

select * from final
