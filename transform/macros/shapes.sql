{#- The canonical shapes: what a source may tell, with the type of each column. A staging model gives those it knows. -#}
{% macro shapes() %}
    {% set record = {'stream': 'string', 'record_key': 'string'} %}
    {#- What was observed of a person names the record of that person in the same source. -#}
    {% set witness = dict(record, **{'person_stream': 'string', 'person_key': 'string'}) %}
    {% do return({
        'person_observed': dict(record, **{
            'first_name': 'string', 'last_name': 'string', 'full_name': 'string', 'birth_date': 'date',
            'sex': 'string', 'tax_code': 'string', 'email': 'string', 'mobile': 'string', 'phone': 'string',
            'street': 'string', 'postcode': 'string', 'city': 'string', 'province': 'string', 'country': 'string',
            'language': 'string', 'first_seen_at': 'timestamp', 'observed_at': 'timestamp',
        }),
        'contact_observed': dict(record, **{
            'email': 'string', 'phone': 'string', 'handle': 'string', 'observed_at': 'timestamp',
        }),
        'identifier_observed': dict(record, **{'kind': 'string', 'value': 'string'}),
        'attribute_observed': dict(witness, **{
            'attribute': 'string', 'value': 'string', 'kind': 'string', 'observed_at': 'timestamp',
        }),
        'consent_observed': dict(witness, **{
            'purpose': 'string', 'channel': 'string', 'state': 'string', 'legal_basis': 'string',
            'notice_version': 'string', 'double_opt_in': 'string', 'requested_at': 'timestamp', 'given_by': 'string',
            'expires_on': 'date', 'collected_by': 'string', 'observed_at': 'timestamp',
        }),
        'suppression_observed': dict(record, **{
            'kind': 'string', 'value': 'string', 'purpose': 'string', 'channel': 'string', 'collected_by': 'string',
            'observed_at': 'timestamp',
        }),
        'role_observed': dict(witness, **{
            'role': 'string', 'state': 'string', 'holding': 'string', 'observed_at': 'timestamp',
        }),
        'card_observed': dict(witness, **{
            'card_no': 'string', 'replaces_card': 'string', 'issued_on': 'date', 'balance': 'decimal(18, 2)',
        }),
        'card_movement_observed': dict(record, **{
            'card_no': 'string', 'moved_at': 'timestamp', 'shop': 'string', 'kind': 'string', 'points': 'bigint',
            'amount': 'decimal(18, 2)',
        }),
        'order_observed': dict(witness, **{
            'order_no': 'string', 'ordered_at': 'timestamp', 'status': 'string', 'is_counted': 'boolean',
            'currency': 'string', 'total': 'decimal(18, 2)', 'refunded': 'decimal(18, 2)',
            'discount': 'decimal(18, 2)', 'shipping': 'decimal(18, 2)', 'payment_method': 'string',
            'channel': 'string', 'pickup_shop': 'string',
        }),
        'order_line_observed': dict(record, **{
            'line_no': 'bigint', 'product_key': 'string', 'sku': 'string', 'product': 'string', 'quantity': 'bigint',
            'amount': 'decimal(18, 2)',
        }),
        'interaction_observed': dict(witness, **{
            'occurred_at': 'timestamp', 'kind': 'string', 'channel': 'string', 'detail': 'string',
        }),
        'review_observed': dict(witness, **{
            'product_key': 'string', 'product': 'string', 'rating': 'bigint', 'is_verified': 'boolean',
            'status': 'string', 'review': 'string', 'reviewed_at': 'timestamp',
        }),
    }) %}
{% endmacro %}
