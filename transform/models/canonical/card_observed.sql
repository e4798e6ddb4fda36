{{ union_shape('card_observed') }}
