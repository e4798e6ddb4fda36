{{ union_shape('role_observed') }}
