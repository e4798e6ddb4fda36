with final as (
    select
        settings,
        trained,
        records,
        model,
        report
    from {{ ref('likelihood_model') }}
)

select * from final
