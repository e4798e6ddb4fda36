with present as (
    select * from {{ ref('row_prints') }}
),

before as (
    {{ kept({'record': 'string', 'record_id': 'bigint', 'row_print': 'hugeint'}, 'known_records') }}
),

run as (
    select * from {{ ref('identity_run') }}
),

final as (
    select
        coalesce(present.record, before.record) as record,
        coalesce(present.record_id, before.record_id) as record_id
    from present
    full outer join before on present.record_id = before.record_id
    cross join run
    where run.is_whole or present.print is distinct from before.row_print
)

select * from final
