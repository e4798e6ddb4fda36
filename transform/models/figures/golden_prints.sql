-- depends_on: {{ ref('customer_values') }}, {{ ref('customers') }}, {{ ref('customers_by_purpose') }}
with final as (
    select
        prints.customer_id,
        prints.print,
        views.print as view_print,
        run.run,
        run.settings
    from {{ ref('customer_prints') }} as prints
    left join {{ ref('view_prints') }} as views on prints.customer_id = views.customer_id
    cross join {{ ref('golden_run') }} as run
)

select * from final
