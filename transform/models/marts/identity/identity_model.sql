with made as (
    select * from {{ ref('likelihood_model') }}
),

final as (
    select
        settings,
        trained,
        records,
        model,
        report
    from made
)

select * from final
