with every_row as (
    {{ union_shape('contact_observed') }}
),

final as (
    {{ latest_only('every_row', 'observed_at', ['email', 'phone', 'handle']) }}
)

select * from final
