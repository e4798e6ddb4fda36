{{ union_shape('card_movement_observed') }}
