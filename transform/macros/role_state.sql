{#- What a record that names one role says of a role: yes, no, or unknown when it names none. -#}
{% macro role_state(stated, role) -%}
    case
        when coalesce(null_like({{ stated }}), '') = '' then 'unknown'
        when lower(trim({{ stated }})) = {{ role }} then 'yes'
        else 'no'
    end
{%- endmacro %}
