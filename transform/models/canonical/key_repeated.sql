{{ repeated_keys([
    'person_observed', 'contact_observed', 'order_observed', 'review_observed', 'card_observed',
    'card_movement_observed',
]) }}
