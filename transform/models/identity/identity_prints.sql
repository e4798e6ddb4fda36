-- depends_on: {{ ref('known_records') }}, {{ ref('known_prints') }}, {{ ref('known_edges') }}
-- depends_on: {{ ref('spoken_prints') }}
with final as (
    select
        run,
        settings,
        readers,
        {{ today() }} as day
    from {{ ref('identity_run') }}
)

select * from final
