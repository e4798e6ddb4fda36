with last_run as (
    {{ kept({'run': 'string'}) }}
),

completed as (
    {{ kept({'run': 'string', 'settings': 'string'}, 'golden_prints') }}
),

policies as (
    select sum({{ print_of(['part', 'criteria', 'max_age_days']) }}) as print
    from {{ ref('survivorship') }}
),

sources as (
    select sum({{ print_of(['source', 'trust', 'purposes', 'survivorship', 'source_bit', 'covers']) }}) as print
    from {{ ref('source_permissions') }}
),

trusted as (
    select sum({{ print_of(['source', 'part', 'trust']) }}) as print
    from {{ ref('source_trust') }}
),

settled as (
    select concat_ws(' ', identity_version(), policies.print, sources.print, trusted.print) as settings
    from policies
    cross join sources
    cross join trusted
),

final as (
    select
        {{ run_id() }} as run,
        settled.settings,
        -- what a run that did not reach its end left behind is not built upon
        case
            when {{ is_built([
                'figures.customer_scopes', 'figures.scope_values', 'figures.value_witnesses', 'marts.customers',
                'marts.customers_by_purpose',
            ]) }}
                then not exists (
                    select 1
                    from completed
                    inner join last_run on completed.run = last_run.run
                    where completed.settings = settled.settings
                )
            else true
        end as is_whole
    from settled
)

select * from final
