-- depends_on: {{ ref('clustering') }}, {{ ref('likelihood_pairs') }}
with final as (
    select
        prints.record,
        prints.content,
        edges.evidence,
        run.run,
        run.settings
    from {{ ref('record_prints') }} as prints
    left join {{ ref('edge_prints') }} as edges on prints.record = edges.record
    cross join {{ ref('identity_run') }} as run
)

select * from final
