{{ union_shape('review_observed') }}
