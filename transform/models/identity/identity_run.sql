with last_run as (
    {{ kept({'run': 'string'}) }}
),

completed as (
    {{ kept({'run': 'string', 'settings': 'string', 'readers': 'string'}, 'identity_prints') }}
),

final as (
    select
        {{ run_id() }} as run,
        {{ identity_settings() }} as settings,
        readers_version() as readers,
        -- what a value was read as by other functions is read anew
        not exists (
            select 1 from completed
            where readers = readers_version()
        ) as reads_anew,
        -- what a run that did not reach its end left behind is not built upon
        case
            when {{ is_built(record_by_record()) }}
                then not exists (
                    select 1
                    from completed
                    inner join last_run on completed.run = last_run.run
                    where completed.settings = {{ identity_settings() }}
                )
            else true
        end as is_whole
)

select * from final
