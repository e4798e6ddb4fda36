{{ union_shape('order_line_observed') }}
