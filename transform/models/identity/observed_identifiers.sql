with persons as (
    select * from {{ ref('person_observed') }}
),

contacts as (
    select * from {{ ref('contact_observed') }}
),

further as (
    select * from {{ ref('identifier_observed') }}
),

gathered as (
    select
        source,
        stream,
        record_key,
        country,
        'tax_code' as kind,
        tax_code as raw,
        1 as place
    from persons
    union all
    select
        source,
        stream,
        record_key,
        country,
        'email' as kind,
        email as raw,
        1 as place
    from persons
    union all
    select
        source,
        stream,
        record_key,
        country,
        'phone' as kind,
        mobile as raw,
        1 as place
    from persons
    union all
    select
        source,
        stream,
        record_key,
        country,
        'phone' as kind,
        phone as raw,
        2 as place
    from persons
    union all
    select
        source,
        stream,
        record_key,
        null as country,
        'email' as kind,
        email as raw,
        1 as place
    from contacts
    union all
    select
        source,
        stream,
        record_key,
        null as country,
        'phone' as kind,
        phone as raw,
        1 as place
    from contacts
    union all
    select
        source,
        stream,
        record_key,
        null as country,
        'handle' as kind,
        handle as raw,
        1 as place
    from contacts
    union all
    select
        source,
        stream,
        record_key,
        null as country,
        kind,
        value as raw,
        3 as place
    from further
),

final as (
    select
        {{ record() }} as record,
        source,
        kind,
        raw,
        coalesce(upper(trim(country)), 'IT') as country,
        place
    from gathered
    where raw is not null and trim(raw) <> ''
)

select * from final
