with findings as (
    select
        rule,
        source,
        stream,
        sum(findings)::bigint as findings,
        {{ examples('record_key') }} as examples
    from {{ ref('quality_findings') }}
    group by rule, source, stream
),

final as (
    select
        findings.rule,
        findings.source,
        findings.stream,
        rules.severity,
        findings.findings,
        findings.examples,
        rules.description as meaning,
        rules.next as next_step
    from findings
    inner join {{ ref('quality_rules') }} as rules on findings.rule = rules.rule
)

select * from final
