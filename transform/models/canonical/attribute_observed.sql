with every_row as (
    {{ union_shape('attribute_observed') }}
),

final as (
    {{ latest_only('every_row', 'observed_at', ['person_key'], also=['attribute', 'kind', 'value']) }}
)

select * from final
