with present as (
    select * from {{ ref('edge_prints') }}
),

before as (
    select
        record,
        evidence,
        {{ print_of(['record']) }} as record_id
    from ({{ kept({'record': 'string', 'evidence': 'bigint'}, 'identity_prints') }}) as prints
),

joined_otherwise as (
    select
        before.record,
        coalesce(present.record_id, before.record_id) as record_id
    from present
    full outer join before on present.record_id = before.record_id
    where present.evidence is distinct from before.evidence
),

final as (
    select record from {{ ref('changed_records') }}

    union

    select coalesce(joined_otherwise.record, persons.record) as record
    from joined_otherwise
    left join {{ ref('person_looks') }} as persons on joined_otherwise.record_id = persons.record_id
)

select * from final
