with cards as (
    select
        normalise_card(card_no) as card_no,
        {{ person_record() }} as holder,
        issued_on
    from {{ ref('card_observed') }}
),

-- a movement belongs to who holds the card by its registry, whoever of the family showed it
holders as (
    select
        cards.card_no,
        customers.customer_id
    from cards
    inner join {{ ref('customer_ids') }} as customers on cards.holder = customers.record
    qualify row_number() over (partition by cards.card_no order by cards.issued_on, cards.holder) = 1
),

final as (
    select
        holders.customer_id,
        observed.source,
        observed.stream,
        observed.record_key,
        observed.card_no,
        observed.moved_at as occurred_at,
        observed.shop,
        observed.kind,
        observed.points,
        observed.amount
    from {{ ref('card_movement_observed') }} as observed
    left join holders on normalise_card(observed.card_no) = holders.card_no
)

select * from final
