{#- The attributes that the golden record has a column for. -#}
{% macro golden_attributes() -%}
    first_name,last_name,birth_date,sex,tax_code,email,phone,street,postcode,city,province,region,country,language
{%- endmacro %}

{#- What follows from rows, beside the golden attributes. -#}
{% macro derived_attributes() -%}
    household_id,lifecycle_stage,records,sources,orders,revenue,last_order_on,loyalty_points,visits_12m,recency_days,frequency,
    {#- #}monetary,recency_class,frequency_class,monetary_class,first_seen_at,last_seen_at
{%- endmacro %}

{#- One row a customer and purpose, of everything that the purpose may know. `everything` is what the company knows. -#}
{% macro customer_view() -%}
    select
        known.customer_id,
        known.purpose,
        {%- for attribute in golden_attributes().split(',') %}
        {{ 'cast(golden.birth_date as date) as birth_date' if attribute == 'birth_date' else 'golden.' ~ attribute }},
        {%- endfor %}
        case
            when known.purpose = 'everything' or {{ permits_one('members.purposes', 'known.purpose') }}
                then members.household_id
        end as household_id,
        {{ lifecycle_stage('rfm') }} as lifecycle_stage,
        known.records,
        known.sources,
        coalesce(facts.orders, 0)::bigint as orders,
        coalesce(facts.revenue, 0)::decimal(18, 2) as revenue,
        facts.last_order_on,
        coalesce(facts.loyalty_points, 0)::bigint as loyalty_points,
        coalesce(facts.visits_12m, 0)::bigint as visits_12m,
        rfm.recency_days::bigint as recency_days,
        coalesce(rfm.frequency, 0)::bigint as frequency,
        coalesce(rfm.monetary, 0)::decimal(18, 2) as monetary,
        rfm.recency_class::bigint as recency_class,
        rfm.frequency_class::bigint as frequency_class,
        rfm.monetary_class::bigint as monetary_class,
        known.first_seen_at,
        known.last_seen_at
    from {{ ref('customer_scopes') }} as known
    left join {{ ref('scope_values') }} as golden
        on known.customer_id = golden.customer_id and known.scope = golden.scope
    left join {{ ref('facts_by_purpose') }} as facts
        on known.customer_id = facts.customer_id and known.purpose = facts.purpose
    left join {{ ref('rfm_by_purpose') }} as rfm
        on known.customer_id = rfm.customer_id and known.purpose = rfm.purpose
    left join {{ ref('household_members') }} as members on known.customer_id = members.customer_id
{%- endmacro %}
