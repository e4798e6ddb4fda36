with every_row as (
    {{ union_shape('role_observed') }}
),

final as (
    {{ latest_only('every_row', 'observed_at', ['person_key', 'state'], also=['role', 'holding']) }}
)

select * from final
