with every_row as (
    {{ union_shape('card_observed') }}
),

final as (
    {{ latest_only('every_row', 'issued_on', ['card_no', 'person_key', 'replaces_card', 'balance']) }}
)

select * from final
