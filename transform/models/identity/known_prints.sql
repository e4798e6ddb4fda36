-- depends_on: {{ ref('clustering') }}, {{ ref('likelihood_pairs') }}
with final as (
    select
        'blocked' as what,
        null::bigint as id,
        named_id as print
    from {{ ref('blocked_identifiers') }}
    where named_id is not null

    union all

    select
        'edges' as what,
        record_id as id,
        evidence as print
    from {{ ref('edge_prints') }}
)

select * from final
