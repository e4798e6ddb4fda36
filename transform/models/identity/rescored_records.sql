with present as (
    select * from {{ ref('edge_prints') }}
),

before as (
    {{ kept({'record': 'string', 'evidence': 'bigint'}, 'identity_prints') }}
),

joined_otherwise as (
    select coalesce(present.record, before.record) as record
    from present
    full outer join before on present.record = before.record
    where present.evidence is distinct from before.evidence
),

final as (
    select record from {{ ref('changed_records') }}

    union

    select record from joined_otherwise
)

select * from final
