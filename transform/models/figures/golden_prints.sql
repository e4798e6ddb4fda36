-- depends_on: {{ ref('customer_values') }}, {{ ref('scope_values') }}
with final as (
    select
        prints.customer_id,
        prints.print,
        run.run,
        run.settings
    from {{ ref('customer_prints') }} as prints
    cross join {{ ref('golden_run') }} as run
)

select * from final
