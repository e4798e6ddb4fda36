{#- How a letter opens, by language and sex; a person of unknown sex is greeted by name alone. -#}
{% macro salutation(first_name, last_name, sex, language) -%}
    case
        when {{ last_name }} is null then null
        when {{ language }} = 'de' and {{ sex }} = 'F' then 'Sehr geehrte Frau ' || {{ last_name }}
        when {{ language }} = 'de' and {{ sex }} = 'M' then 'Sehr geehrter Herr ' || {{ last_name }}
        when {{ language }} = 'de' then 'Guten Tag ' || concat_ws(' ', {{ first_name }}, {{ last_name }})
        when {{ language }} = 'en' and {{ sex }} = 'F' then 'Dear Ms ' || {{ last_name }}
        when {{ language }} = 'en' and {{ sex }} = 'M' then 'Dear Mr ' || {{ last_name }}
        when {{ language }} = 'en' then 'Dear ' || concat_ws(' ', {{ first_name }}, {{ last_name }})
        when {{ sex }} = 'F' then 'Gentile Sig.ra ' || {{ last_name }}
        when {{ sex }} = 'M' then 'Gentile Sig. ' || {{ last_name }}
        else 'Gentile ' || concat_ws(' ', {{ first_name }}, {{ last_name }})
    end
{%- endmacro %}
