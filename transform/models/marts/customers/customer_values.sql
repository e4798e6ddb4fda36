with persons as (
    select * from {{ ref('person_records') }}
),

identifiers as (
    select * from {{ ref('usable_identifiers') }}
),

records as (
    select * from {{ ref('record_clusters') }}
),

customers as (
    select * from {{ ref('customer_ids') }}
),

permissions as (
    select * from {{ ref('source_permissions') }}
),

-- preference: what a check digit or the postal service vouches for, then what was said, then what was seen
said as (
    {{ stated_values('persons') }}
    union all
    select
        identifiers.record,
        identifiers.kind as attribute,
        identifiers.kind as part,
        identifiers.value,
        case when persons.record is null then 'implicit' else 'explicit' end as kind,
        case when persons.record is null then 'seen in use' else 'as recorded' end as rule,
        case when persons.record is null then 1 when identifiers.place = 1 then 2 else 1.5 end as preference
    from identifiers
    left join persons on identifiers.record = persons.record
    where identifiers.kind in ('email', 'phone')
    union all
    select
        {{ person_record() }} as record,
        attribute,
        attribute as part,
        value,
        kind,
        'as observed' as rule,
        1 as preference
    from {{ ref('attribute_observed') }}
),

candidates as (
    select
        customers.customer_id,
        said.attribute,
        said.part,
        said.value,
        records.source,
        records.stream,
        records.record_key,
        said.kind,
        said.rule,
        said.preference,
        permissions.trust,
        permissions.survivorship,
        permissions.purposes,
        records.observed_at,
        case
            when said.part not in ('name', 'address') then 1
            when said.attribute in ('first_name', 'last_name', 'street', 'postcode') then 1
            else 0
        end as weight
    from said
    inner join customers on said.record = customers.record
    inner join records on said.record = records.record
    inner join permissions on records.source = permissions.source
    where said.value is not null
),

-- a name or an address comes whole from one record: the completest, then the most trusted, then the latest
weighed as (
    select
        *,
        sum(weight) over (partition by customer_id, part, source, stream, record_key, kind = 'derived') as completeness
    from candidates
),

witnesses as (
    select
        customer_id,
        part,
        source,
        stream,
        record_key,
        row_number() over (
            partition by customer_id, part
            order by
                max(least(completeness, 2)) desc,
                max(case when part = 'address' then 0 else preference end) desc,
                max(trust) desc,
                max(case when survivorship = 'latest' then observed_at end) desc nulls last,
                min(observed_at) asc nulls last,
                source asc,
                stream asc,
                record_key asc
        ) as witness_rank
    from weighed
    group by customer_id, part, source, stream, record_key
),

ranked as (
    select
        candidates.*,
        witnesses.witness_rank,
        row_number() over (
            partition by candidates.customer_id, candidates.attribute
            order by witnesses.witness_rank asc, candidates.preference desc, candidates.value asc
        ) as rank
    from candidates
    inner join witnesses
        on
            candidates.customer_id = witnesses.customer_id
            and candidates.part = witnesses.part
            and candidates.source = witnesses.source
            and candidates.stream = witnesses.stream
            and candidates.record_key = witnesses.record_key
),

final as (
    select
        customer_id,
        attribute,
        value,
        source,
        stream,
        record_key,
        kind,
        rule,
        -- the rest of a name or an address does not come from another record than its first half
        rank = 1 and (part not in ('name', 'address') or witness_rank = 1) as is_winner,
        rank,
        observed_at,
        purposes
    from ranked

    union all

    select
        lifecycle.customer_id,
        'lifecycle_stage' as attribute,
        lifecycle.lifecycle_stage as value,
        lifecycle.source,
        lifecycle.stream,
        lifecycle.record_key,
        'derived' as kind,
        lifecycle.rule,
        true as is_winner,
        1 as rank,
        {{ moment('lifecycle.last_purchase_on') }} as observed_at,
        lifecycle.purposes
    from {{ ref('customer_lifecycle') }} as lifecycle
)

select * from final
