with evidence as (
    select * from {{ ref('record_evidence') }}
),

blocklist as (
    select * from {{ ref('blocklist') }}
),

limits as (
    select
        share,
        min(max_people) as max_people
    from {{ ref('rule_levels') }}
    group by share
),

used as (
    select
        evidence.kind,
        evidence.value,
        max(limits.max_people) as max_people,
        count(*) as records,
        bool_or(evidence.is_role_address) as is_role_address
    from evidence
    left join limits on evidence.share = limits.share
    group by evidence.kind, evidence.value
),

-- with no more records than people allowed there is nothing to count
crowded as (
    select * from used
    where records > max_people
),

-- distinct, so that they are found before their records are looked up
crowds as (
    select distinct
        evidence.kind,
        evidence.value,
        evidence.record
    from evidence
    inner join crowded on evidence.kind = crowded.kind and evidence.value = crowded.value
),

people as (
    select
        crowds.kind,
        crowds.value,
        count(distinct persons.first_key || ' ' || persons.last_key) as spellings,
        count(distinct {{ initials('persons.first_key', 'persons.last_key') }}) as names,
        count(distinct persons.tax_code_canonical) as tax_codes,
        count(distinct persons.birth_date) as birth_dates
    from crowds
    inner join {{ ref('person_said') }} as persons on crowds.record = persons.record
    group by crowds.kind, crowds.value
),

listed as (
    select distinct
        used.kind,
        used.value
    from used
    inner join blocklist on used.kind = blocklist.kind and {{ fits('used.value', 'blocklist.value') }}
),

judged as (
    select
        used.kind,
        used.value,
        used.records,
        coalesce(people.names, 0) as names,
        case
            when listed.value is not null or used.is_role_address then 'blocklist'
            when people.names > used.max_people then 'too many names'
            when people.tax_codes > used.max_people then 'too many tax codes'
            when people.birth_dates > used.max_people then 'too many birth dates'
            -- nobody's name is written in so many ways
            when people.spellings > 10 * used.max_people then 'too many names'
        end as reason
    from used
    left join people on used.kind = people.kind and used.value = people.value
    left join listed on used.kind = listed.kind and used.value = listed.value
),

final as (
    select
        kind,
        value,
        records,
        names,
        reason
    from judged
    where reason is not null

    union all

    select
        'birth_date' as kind,
        birth_date::string as value,
        records,
        0 as names,
        reason
    from {{ ref('placeholder_dates') }}
)

select * from final
