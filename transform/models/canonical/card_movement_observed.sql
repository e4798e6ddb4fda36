with every_row as (
    {{ union_shape('card_movement_observed') }}
),

final as (
    {{ latest_only('every_row', 'moved_at', ['card_no', 'kind', 'points', 'amount']) }}
)

select * from final
