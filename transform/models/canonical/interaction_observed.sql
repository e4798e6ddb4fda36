{{ union_shape('interaction_observed') }}
