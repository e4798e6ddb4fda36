{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_records('changed_rows') }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('changed_rows') }}
with persons as (
    select
        *,
        {{ record() }} as record
    from {{ ref('person_observed') }}
    where {{ only_changed(record(), 'changed_rows') }}
),

contacts as (
    select
        *,
        {{ record() }} as record
    from {{ ref('contact_observed') }}
    where {{ only_changed(record(), 'changed_rows') }}
),

further as (
    select
        *,
        {{ record() }} as record
    from {{ ref('identifier_observed') }}
    where {{ only_changed(record(), 'changed_rows') }}
),

gathered as (
    select
        record,
        source,
        country,
        'tax_code' as kind,
        tax_code as raw,
        1 as place
    from persons
    union all
    select
        record,
        source,
        country,
        'email' as kind,
        email as raw,
        1 as place
    from persons
    union all
    select
        record,
        source,
        country,
        'phone' as kind,
        mobile as raw,
        1 as place
    from persons
    union all
    select
        record,
        source,
        country,
        'phone' as kind,
        phone as raw,
        2 as place
    from persons
    union all
    select
        record,
        source,
        null as country,
        'email' as kind,
        email as raw,
        1 as place
    from contacts
    union all
    select
        record,
        source,
        null as country,
        'phone' as kind,
        phone as raw,
        1 as place
    from contacts
    union all
    select
        record,
        source,
        null as country,
        'handle' as kind,
        handle as raw,
        1 as place
    from contacts
    union all
    select
        record,
        source,
        null as country,
        kind,
        value as raw,
        3 as place
    from further
),

final as (
    select
        record,
        source,
        kind,
        raw,
        coalesce(upper(trim(country)), 'IT') as country,
        place
    from gathered
    where raw is not null and trim(raw) <> ''
)

select * from final
