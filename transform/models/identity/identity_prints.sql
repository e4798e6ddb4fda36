-- depends_on: {{ ref('known_records') }}, {{ ref('known_prints') }}, {{ ref('spoken_prints') }}
with final as (
    select
        run,
        settings,
        readers
    from {{ ref('identity_run') }}
)

select * from final
