{{ union_shape('order_observed') }}
