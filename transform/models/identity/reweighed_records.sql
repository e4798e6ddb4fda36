with present as (
    select named_id
    from {{ ref('blocked_identifiers') }}
    where named_id is not null
),

before as (
    select print as named_id
    from ({{ kept({'what': 'string', 'print': 'bigint'}, 'known_prints') }}) as known
    where what = 'blocked'
),

-- values that join again, or no more
turned as (
    select coalesce(present.named_id, before.named_id) as named_id
    from present
    full outer join before on present.named_id = before.named_id
    where present.named_id is null or before.named_id is null
),

final as (
    select record from {{ ref('retold_records') }}

    union

    select record from {{ ref('record_evidence') }}
    where named_id in (select turned.named_id from turned)
)

select * from final
