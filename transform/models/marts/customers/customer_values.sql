with -- preference: what a check digit or the postal service vouches for, then what was said, then what was seen
said as (
    {{ stated_values(ref('person_records')) }}
    union all
    select
        identifiers.record,
        identifiers.kind as attribute,
        identifiers.kind as part,
        identifiers.value,
        case when persons.record is null then 'implicit' else 'explicit' end as kind,
        case when persons.record is null then 'seen in use' else 'as recorded' end as rule,
        case when persons.record is null then 1 when identifiers.place = 1 then 2 else 1.5 end as preference
    from {{ ref('usable_identifiers') }} as identifiers
    left join {{ ref('person_records') }} as persons on identifiers.record = persons.record
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
        records.record,
        records.source,
        records.stream,
        records.record_key,
        said.kind,
        said.rule,
        said.preference,
        permissions.trust,
        permissions.purposes,
        case permissions.survivorship when 'latest' then records.observed_at end as latest_at,
        records.observed_at,
        -- how much of a name or an address the record gives
        sum(case when said.attribute in ('first_name', 'last_name', 'street', 'postcode') then 1 else 0 end) over (
            partition by customers.customer_id, said.part, records.record
        ) as completeness,
        max(case said.part when 'address' then 0 else said.preference end) over (
            partition by customers.customer_id, said.part, records.record
        ) as best_preference
    from said
    inner join {{ ref('customer_ids') }} as customers on said.record = customers.record
    inner join {{ ref('record_clusters') }} as records on said.record = records.record
    inner join {{ ref('source_permissions') }} as permissions on records.source = permissions.source
    where said.value is not null
),

-- a name or an address comes whole from one record: the completest, then the most trusted, then the latest
witnessed as (
    select
        customer_id,
        attribute,
        part,
        value,
        source,
        stream,
        record_key,
        kind,
        rule,
        preference,
        observed_at,
        purposes,
        dense_rank() over (
            partition by customer_id, part
            order by
                completeness desc, best_preference desc, trust desc, latest_at desc nulls last,
                observed_at asc nulls last, record asc
        ) as witness
    from candidates
),

ranked as (
    select
        customer_id,
        attribute,
        part,
        value,
        source,
        stream,
        record_key,
        kind,
        rule,
        observed_at,
        purposes,
        witness,
        row_number() over (
            partition by customer_id, attribute
            order by witness asc, preference desc, value asc
        ) as rank
    from witnessed
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
        rank = 1 and (part not in ('name', 'address') or witness = 1) as is_winner,
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
