{{ union_shape('consent_observed') }}
