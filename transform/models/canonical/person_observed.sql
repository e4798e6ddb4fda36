{{ union_shape('person_observed') }}
