{#- What DuckDB and Spark say differently, one macro a phrase. -#}

{% macro cast_to(expression, kind) -%}
    {{ moment(expression) if kind == 'timestamp' else 'cast(' ~ expression ~ ' as ' ~ kind ~ ')' }}
{%- endmacro %}

{#- A point in time, in UTC. -#}
{% macro moment(expression) -%}{{ adapter.dispatch('moment')(expression) }}{%- endmacro %}
{% macro default__moment(expression) -%}cast({{ expression }} as timestamp){%- endmacro %}
{% macro duckdb__moment(expression) -%}cast({{ expression }} as timestamp with time zone){%- endmacro %}

{#- Days from one date to another. -#}
{% macro days_between(earlier, later) -%}{{ adapter.dispatch('days_between')(earlier, later) }}{%- endmacro %}
{% macro default__days_between(earlier, later) -%}
    datediff(cast({{ later }} as date), cast({{ earlier }} as date))
{%- endmacro %}
{% macro duckdb__days_between(earlier, later) -%}
    (cast({{ later }} as date) - cast({{ earlier }} as date))
{%- endmacro %}

{#- The day some days after another. -#}
{% macro days_after(day, days) -%}{{ adapter.dispatch('days_after')(day, days) }}{%- endmacro %}
{% macro default__days_after(day, days) -%}date_add({{ day }}, {{ days }}){%- endmacro %}
{% macro duckdb__days_after(day, days) -%}({{ day }} + cast({{ days }} as int)){%- endmacro %}

{#- The text at a path of a JSON text, for example '$.billing.email'; null when it is not there. -#}
{% macro json_text(document, path) -%}{{ adapter.dispatch('json_text')(document, path) }}{%- endmacro %}
{% macro default__json_text(document, path) -%}get_json_object({{ document }}, '{{ path }}'){%- endmacro %}
{% macro duckdb__json_text(document, path) -%}json_extract_string({{ document }}, '{{ path }}'){%- endmacro %}

{#- The value that a list of {"key": …, "value": …} objects holds under a key, as shops keep their extra fields. -#}
{% macro json_entry(document, key) -%}{{ adapter.dispatch('json_entry')(document, key) }}{%- endmacro %}
{% macro default__json_entry(document, key) -%}
    element_at(filter(
        from_json({{ document }}, 'array<struct<key:string,value:string>>'), entry -> entry.key = '{{ key }}'
    ), 1).value
{%- endmacro %}
{% macro duckdb__json_entry(document, key) -%}
    json_extract_string(
        list_filter(
            cast(json_extract({{ document }}, '$[*]') as json []),
            lambda entry: json_extract_string(entry, '$.key') = '{{ key }}'
        )[1],
        '$.value'
    )
{%- endmacro %}

{#- One row for each object of a JSON list; each is a JSON text. -#}
{% macro json_rows(document) -%}{{ adapter.dispatch('json_rows')(document) }}{%- endmacro %}
{% macro default__json_rows(document) -%}explode(from_json({{ document }}, 'array<string>')){%- endmacro %}
{% macro duckdb__json_rows(document) -%}unnest(cast(json_extract({{ document }}, '$[*]') as json [])){%- endmacro %}

{#- The sum of the amounts at a path of each object of a JSON list, without its sign; nothing is zero. -#}
{% macro json_sum(document, path) -%}{{ adapter.dispatch('json_sum')(document, path) }}{%- endmacro %}
{% macro default__json_sum(document, path) -%}
    aggregate(
        from_json({{ document }}, 'array<string>'),
        cast(0 as decimal(18, 2)),
        (total, entry) -> cast(
            total + abs(coalesce(try_cast(get_json_object(entry, '{{ path }}') as decimal(18, 2)), 0)) as decimal(18, 2)
        )
    )
{%- endmacro %}
{% macro duckdb__json_sum(document, path) -%}
    coalesce(list_sum(list_transform(
        cast(json_extract({{ document }}, '$[*]') as json []),
        lambda entry: abs(try_cast(json_extract_string(entry, '{{ path }}') as decimal(18, 2)))
    )), 0)
{%- endmacro %}
