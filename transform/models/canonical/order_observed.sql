with every_row as (
    {{ union_shape('order_observed') }}
),

final as (
    {{ latest_only('every_row', 'ordered_at', ['person_key', 'status', 'total', 'refunded']) }}
)

select * from final
