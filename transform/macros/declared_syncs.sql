{#- The syncs that activation models declare, with their segment, purpose and channel: one row each. -#}
{% macro declared_syncs() -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | sort(attribute='name')
            if node.resource_type == 'model' and node.config.get('meta', {}).get('sync', {}).get('segment') -%}
            {%- set sync = node.config.meta.sync %}
    select
        '{{ node.name }}' as sync,
        '{{ sync.segment }}' as segment,
        '{{ sync.purpose }}' as purpose,
        '{{ sync.channel }}' as channel
    union all
        {%- endfor -%}
    {%- endif %}
    select
        null::string as sync,
        null::string as segment,
        null::string as purpose,
        null::string as channel
    where false
{%- endmacro %}
