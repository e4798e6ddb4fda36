{{ union_shape('attribute_observed') }}
