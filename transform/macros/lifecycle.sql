{#- Stage of a buyer by the figures of recency, frequency and money in `rfm`; without figures a prospect. -#}
{% macro lifecycle_stage(rfm) -%}
    case
        when {{ rfm }}.customer_id is null then 'prospect'
        when {{ rfm }}.recency_days > {{ var('lapsed_days') }} then 'lapsed'
        when {{ days_between(rfm ~ '.first_purchase_on', today()) }} <= {{ var('new_days') }} then 'new'
        when
            {{ rfm }}.frequency >= {{ var('long_standing_purchases') }}
            and {{ days_between(rfm ~ '.first_purchase_on', today()) }} >= {{ var('long_standing_days') }}
            then 'long_standing'
        else 'occasional'
    end
{%- endmacro %}

{#- The fifth of the buyers that one purpose may know in which a figure falls, 5 the best. -#}
{% macro fifth(figure) -%}
    1 + least(4, floor(5 * percent_rank() over (partition by purpose order by {{ figure }})))::int
{%- endmacro %}
