with final as (
    select
        rule,
        source,
        stream,
        record_key,
        findings
    from {{ ref('quality_texts') }}

    union all

    select
        rule,
        source,
        stream,
        record_key,
        findings
    from {{ ref('quality_dates') }}

    union all

    select
        rule,
        source,
        stream,
        record_key,
        findings
    from {{ ref('quality_identifiers') }}

    union all

    select
        rule,
        source,
        stream,
        record_key,
        findings
    from {{ ref('quality_tax_codes') }}

    union all

    select
        rule,
        source,
        stream,
        record_key,
        findings
    from {{ ref('quality_places') }}

    union all

    select
        rule,
        source,
        stream,
        record_key,
        findings
    from {{ ref('key_repeated') }}

    union all

    select
        rule,
        source,
        stream,
        record_key,
        findings
    from {{ ref('clock_ahead') }}
)

select * from final
