{{ union_shape('identifier_observed') }}
