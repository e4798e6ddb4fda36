{% macro segment__missing_tax_code() %}{{ return('missing_tax_code') }}{% endmacro %}

with persons as (
    select
        customers.customer_id,
        persons.record,
        persons.tax_code,
        permissions.purposes
    from {{ ref('person_records') }} as persons
    inner join {{ ref('customer_ids') }} as customers on persons.record = customers.record
    inner join {{ ref('source_permissions') }} as permissions on persons.source = permissions.source
),

counted as (
    select
        customer_id,
        count(*) as records,
        count(*) - count(tax_code) as without_code,
        {{ common_purposes('purposes') }} as purposes
    from persons
    group by customer_id
),

kept as (
    select
        persons.customer_id,
        string_agg(distinct edges.rule, ', ' order by edges.rule) as rules
    from {{ ref('identity_edges') }} as edges
    inner join persons on edges.left_record = persons.record
    where edges.kept and edges.rule <> 'tax_code'
    group by persons.customer_id
),

final as (
    select
        counted.customer_id,
        counted.without_code::string || ' of ' || counted.records::string
        || ' records carry no tax code; one person by ' || kept.rules as reason,
        counted.purposes
    from counted
    inner join kept on counted.customer_id = kept.customer_id
    where counted.records > 1 and counted.without_code > 0
)

select * from final
