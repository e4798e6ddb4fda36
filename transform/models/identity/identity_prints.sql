-- depends_on: {{ ref('clustering') }}, {{ ref('likelihood_pairs') }}
with final as (
    select
        prints.record,
        prints.content,
        edges.evidence,
        run.run,
        run.settings,
        run.readers
    from {{ ref('record_prints') }} as prints
    left join {{ ref('edge_prints') }} as edges on prints.record_id = edges.record_id
    cross join {{ ref('identity_run') }} as run
)

select * from final
