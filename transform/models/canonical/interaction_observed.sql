with every_row as (
    {{ union_shape('interaction_observed') }}
),

final as (
    {{ latest_only('every_row', 'occurred_at', ['person_key', 'channel', 'detail'], also=['kind']) }}
)

select * from final
