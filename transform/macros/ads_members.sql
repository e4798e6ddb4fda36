{#-
    The members of a segment who agreed to audiences for advertising, with what platforms recognise people by. Each
    platform normalises and hashes by its own rules: values leave this model in clear and reach its target alone.
-#}
{% macro ads_members(segment) -%}
    select
        audience.customer_id,
        golden.email,
        golden.phone,
        golden.first_name,
        golden.last_name,
        golden.birth_date,
        golden.city,
        golden.postcode,
        'IT' as country
    from ({{ audience(segment) }}) as audience
    inner join ({{ permitted_values(['email', 'phone', 'first_name', 'last_name', 'birth_date', 'city', 'postcode']) }}) as golden
        on audience.customer_id = golden.customer_id
{%- endmacro %}
