with every_row as (
    {{ union_shape('review_observed') }}
),

final as (
    {{ latest_only('every_row', 'reviewed_at', ['person_key', 'status', 'rating', 'review']) }}
)

select * from final
