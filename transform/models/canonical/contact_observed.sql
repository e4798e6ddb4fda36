{{ union_shape('contact_observed') }}
