{{ union_shape('suppression_observed') }}
