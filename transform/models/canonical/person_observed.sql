{# Rows of one key would double everything that is joined to them: the latest counts, the report tells of the rest. #}
with every_row as (
    {{ union_shape('person_observed') }}
),

final as (
    {{ latest_only('every_row', 'observed_at', ['tax_code', 'email', 'mobile', 'last_name', 'first_name', 'street']) }}
)

select * from final
