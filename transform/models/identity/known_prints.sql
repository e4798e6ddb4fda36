-- depends_on: {{ ref('clustering') }}, {{ ref('likelihood_pairs') }}
with final as (
    select
        'blocked' as what,
        named_id as print
    from {{ ref('blocked_identifiers') }}
    where named_id is not null
)

select * from final
