with identifiers as (
    select * from {{ ref('record_identifiers') }}
),

blocklist as (
    select * from {{ ref('blocklist') }}
),

limits as (
    select
        identifier_kind as kind,
        max(max_names) as max_names
    from {{ ref('identity_rules') }}
    group by identifier_kind
),

used as (
    select
        identifiers.kind,
        identifiers.value,
        count(*) as records,
        bool_or(identifiers.is_role_address) as is_role_address,
        count(distinct names.first_key || ' ' || names.last_key) as names
    from identifiers
    left join {{ ref('person_names') }} as names on identifiers.record = names.record
    group by identifiers.kind, identifiers.value
),

listed as (
    select distinct
        used.kind,
        used.value
    from used
    inner join blocklist on used.kind = blocklist.kind and used.value like blocklist.value
),

final as (
    select
        used.kind,
        used.value,
        used.records,
        used.names,
        case when listed.value is not null or used.is_role_address then 'blocklist' else 'over_limit' end as reason
    from used
    left join limits on used.kind = limits.kind
    left join listed on used.kind = listed.kind and used.value = listed.value
    where listed.value is not null or used.is_role_address or used.names > limits.max_names
)

select * from final
