with present as (
    select * from {{ ref('record_prints') }}
),

before as (
    select
        record,
        content
    from ({{ kept({'record': 'string', 'content': 'bigint'}, 'known_records') }}) as known
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
        present.record is null as is_gone
    from present
    full outer join before on present.record = before.record
    cross join run
    where run.is_whole or present.content is distinct from before.content
)

select * from final
