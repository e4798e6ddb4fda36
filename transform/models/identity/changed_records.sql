with present as (
    select * from {{ ref('record_prints') }}
),

before as (
    select
        record,
        record_id,
        content
    from ({{ kept({'record': 'string', 'record_id': 'bigint', 'content': 'bigint'}, 'known_records') }}) as known
    where
        content is not null
        and record in (select reweighed.record from {{ ref('reweighed_records') }} as reweighed)
),

run as (
    select * from {{ ref('identity_run') }}
),

final as (
    select
        coalesce(present.record, before.record) as record,
        coalesce(present.record_id, before.record_id) as record_id,
        present.record is null as is_gone
    from present
    full outer join before on present.record_id = before.record_id
    cross join run
    where run.is_whole or present.content is distinct from before.content
)

select * from final
