with evidence as (
    select * from {{ ref('record_evidence') }}
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
        evidence.named_id,
        max(limits.max_people) as max_people,
        count(*) as records,
        bool_or(evidence.is_listed) as is_listed
    from evidence
    left join limits on evidence.share = limits.share
    group by evidence.named_id
),

-- with no more records than people allowed there is nothing to count
suspects as (
    select * from used
    where is_listed or records > max_people
),

-- distinct, so that they are found before their records are looked up
crowds as (
    select distinct
        named_id,
        kind,
        value,
        record
    from evidence
    where named_id in (select suspects.named_id from suspects)
),

said as (
    select
        record,
        first_key,
        last_key,
        tax_code_canonical,
        birth_date
    from {{ ref('person_said') }}
    where record in (select crowds.record from crowds)
),

people as (
    select
        crowds.named_id,
        crowds.kind,
        crowds.value,
        count(distinct said.first_key || ' ' || said.last_key) as spellings,
        count(distinct {{ initials('said.first_key', 'said.last_key') }}) as names,
        count(distinct said.tax_code_canonical) as tax_codes,
        count(distinct said.birth_date) as birth_dates
    from crowds
    left join said on crowds.record = said.record
    group by crowds.named_id, crowds.kind, crowds.value
),

judged as (
    select
        people.named_id,
        people.kind,
        people.value,
        suspects.records,
        case when suspects.records > suspects.max_people then people.names else 0 end as names,
        case
            when suspects.is_listed then 'blocklist'
            when people.names > suspects.max_people then 'too many names'
            when people.tax_codes > suspects.max_people then 'too many tax codes'
            when people.birth_dates > suspects.max_people then 'too many birth dates'
            -- nobody's name is written in so many ways
            when people.spellings > 10 * suspects.max_people then 'too many names'
        end as reason
    from suspects
    inner join people on suspects.named_id = people.named_id
),

final as (
    select
        kind,
        value,
        records,
        names,
        reason,
        named_id
    from judged
    where reason is not null

    union all

    select
        'birth_date' as kind,
        birth_date::string as value,
        records,
        0 as names,
        reason,
        null::bigint as named_id
    from {{ ref('placeholder_dates') }}
)

select * from final
