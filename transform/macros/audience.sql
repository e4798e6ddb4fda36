{#-
    The members of a segment who have consented to this model's sync: the first CTE of every activation model.

    - purpose and channel are those that the model's YAML declares under `meta: sync:`; without a purpose nothing compiles
    - yields customer_id and reason
-#}
{% macro audience(segment) -%}
    {%- set sync = model.config.get('meta', {}).get('sync', {}) -%}
    {{- require_purpose(model.name, sync) if execute -}}
    select
        members.customer_id,
        members.reason
    from {{ ref('segments') }} as members
    inner join {{ ref('consent_current') }} as consents
        on
            members.customer_id = consents.customer_id
            and consents.purpose = '{{ sync.purpose }}'
            and consents.channel = '{{ sync.channel }}'
            and consents.state = 'yes'
    where
        members.segment = '{{ segment }}'
        -- a membership that rests on data collected for something else does not exist for this purpose
        and {{ permits('members.purposes', sync.purpose) }}
        -- nor does a person whom only such data makes one
        and members.customer_id not in (
            select bridges.customer_id from {{ ref('identity_bridges') }} as bridges
            where bridges.purpose = '{{ sync.purpose }}'
        )
{%- endmacro %}

{% macro require_purpose(name, sync) -%}
    {%- if sync.get('purpose') not in purposes().split(',') -%}
        {{ exceptions.raise_compiler_error(
            name ~ ": a sync " ~ ("for the purpose '" ~ sync.purpose ~ "', which nobody knows," if sync.get('purpose') else "without a declared purpose")
            ~ " reaches nobody. Next: set config: meta: sync: purpose: in its YAML to one of "
            ~ purposes().replace(',', ', ') ~ "."
        ) }}
    {%- endif -%}
    {%- if not sync.get('channel') -%}
        {{ exceptions.raise_compiler_error(
            name ~ ": a sync without a channel reaches nobody. Next: set config: meta: sync: channel: in its YAML."
        ) }}
    {%- endif -%}
{%- endmacro %}

{#- Before anything is built: every model in the folder activation declares its purpose, whether it asks for it or not. -#}
{% macro require_purposes() -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and 'activation' in node.fqn -%}
            {{- require_purpose(node.name, node.config.get('meta', {}).get('sync', {})) -}}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#-
    Golden values as this model's purpose may know them, one row a customer: a value from a source whose notice does not
    allow the purpose does not exist here, even where it won in `customers`.

    - columns of `customers_by_purpose` are taken from there; any other attribute from its best permitted candidate
-#}
{% macro permitted_values(attributes) -%}
    {%- set sync = model.config.get('meta', {}).get('sync', {}) -%}
    {%- set views = (golden_attributes() ~ ',' ~ derived_attributes()).split(',') -%}
    {%- set others = attributes | reject('in', views) | list -%}
    select
        known.customer_id
        {%- for attribute in attributes %},
        {{ 'others' if attribute in others else 'known' }}.{{ attribute }}
        {%- endfor %}
    from {{ ref('customers_by_purpose') }} as known
    {%- if others %}
    left join (
        select
            customer_id,
            {{ best_values(others | join(',')) }}
        from {{ ref('customer_values') }}
        where {{ permits('purposes', sync.purpose) }} and coalesce(lost_to, '') <> 'max_age_days'
        group by customer_id
    ) as others on known.customer_id = others.customer_id
    {%- endif %}
    where known.purpose = '{{ sync.purpose }}'
{%- endmacro %}

{#- Purchases, online and at tills, as this model's purpose may know them, one row a customer. -#}
{% macro permitted_purchases() -%}
    {%- set sync = model.config.get('meta', {}).get('sync', {}) -%}
    select
        customer_id,
        count(*) as orders,
        sum(amount)::decimal(18, 2) as revenue,
        max(purchased_on) as last_order_on
    from {{ ref('purchases') }}
    where {{ permits('purposes', sync.purpose) }}
    group by customer_id
{%- endmacro %}

{#- The best of the candidate values of each attribute of a comma text, a column each, within a group by customer. -#}
{% macro best_values(attributes) -%}
    {%- for attribute in attributes.split(',') %}
    min_by(value, rank) filter (where attribute = '{{ attribute }}') as {{ attribute }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Recency, frequency and money as three digits, one number, as this model's purpose may know them. -#}
{% macro permitted_scores() -%}
    {%- set sync = model.config.get('meta', {}).get('sync', {}) -%}
    select
        customer_id,
        (recency_class * 100 + frequency_class * 10 + monetary_class)::bigint as score
    from {{ ref('customer_rfm') }}
    where {{ permits('purposes', sync.purpose) }}
{%- endmacro %}
