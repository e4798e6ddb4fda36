{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook='{{ forget_changed_customers() }}'
) }}

-- depends_on: {{ ref('golden_run') }}
with policies as (
    select
        part,
        criteria,
        max_age_days,
        {{ shifts('criteria') }}
    from {{ ref('survivorship') }}
),

people as (
    select
        customers.customer_id,
        records.record,
        records.source,
        records.observed_at,
        permissions.trust as source_trust,
        permissions.source_bit,
        permissions.covers,
        case permissions.survivorship when 'latest' then 1 else -1 end * {{ seconds('records.observed_at') }} as recency
    from {{ ref('customer_ids') }} as customers
    inner join {{ ref('record_clusters') }} as records on customers.record = records.record
    inner join {{ ref('source_permissions') }} as permissions on records.source = permissions.source
    where customers.customer_id in (select changed.customer_id from {{ ref('changed_customers') }} as changed)
),

persons as (
    select
        said.record,
        said.first_name,
        said.last_name,
        said.first_key,
        said.last_key,
        said.birth_date,
        said.sex,
        said.tax_code,
        said.language,
        said.street,
        said.street_key,
        said.postcode,
        said.city,
        said.province,
        said.region,
        said.country,
        said.tax_code_birth_date,
        said.tax_code_sex
    from people
    inner join {{ ref('person_records') }} as said on people.record = said.record
),

voices as (
    {{ spoken_parts('persons') }}
    union all
    select
        identifiers.record,
        identifiers.kind as part,
        identifiers.value,
        case when said.record is null then 'implicit' else 'explicit' end as kind,
        case when said.record is null then 'seen in use' else 'as recorded' end as rule,
        false as is_vouched,
        identifiers.place,
        1 as completeness
    from {{ ref('usable_identifiers') }} as identifiers
    inner join people on identifiers.record = people.record
    left join persons as said on identifiers.record = said.record
    where identifiers.kind in ('email', 'phone')
    union all
    select
        {{ person_record() }} as record,
        attribute as part,
        value,
        kind,
        'as observed' as rule,
        false as is_vouched,
        1 as place,
        1 as completeness
    from {{ ref('attribute_observed') }}
    where value is not null
),

governed as (
    select
        voices.*,
        people.customer_id,
        people.source,
        people.observed_at,
        people.source_bit,
        people.covers,
        people.recency,
        coalesce(trusted.trust, people.source_trust) as trust,
        coalesce(own.part, '*') as policy
    from voices
    inner join people on voices.record = people.record
    left join policies as own on voices.part = own.part
    left join {{ ref('source_trust') }} as trusted
        on people.source = trusted.source and voices.part = trusted.part
),

-- sources that say the same; only where a policy asks
backed as (
    select
        governed.customer_id,
        governed.part,
        governed.value,
        bit_or(governed.source_bit) as backers
    from governed
    inner join policies on governed.policy = policies.part and policies.shift_agreement is not null
    group by governed.customer_id, governed.part, governed.value
    having bit_count(bit_or(governed.source_bit)) > 1
),

counted as (
    select
        governed.*,
        -- a source that may not serve what the value serves does not count for it: no purpose feels it
        coalesce(bit_count(backed.backers & governed.covers), 1) as agreement
    from governed
    left join backed
        on
            governed.customer_id = backed.customer_id
            and governed.part = backed.part
            and governed.value = backed.value
),

-- only what the order needs goes on from here: to sort is to copy
scored as (
    select
        counted.customer_id,
        counted.part,
        counted.record,
        counted.source,
        counted.value,
        counted.kind,
        counted.rule,
        counted.is_vouched,
        counted.place,
        counted.policy,
        {{ score() }} as score,
        coalesce({{ days_between('counted.observed_at', today()) }} > policies.max_age_days, false) as is_stale
    from counted
    inner join policies on counted.policy = policies.part
),

ranked as (
    select
        *,
        row_number() over best_first as witness,
        first_value(value) over best_first as best_value,
        first_value(score) over best_first as best_score,
        lag(score) over best_first as score_above
    from scored
    window best_first as (
        partition by customer_id, part
        order by is_stale asc, score desc, record asc, is_vouched desc, place asc, value asc
    )
),

final as (
    select
        ranked.customer_id,
        ranked.part,
        ranked.witness,
        ranked.record,
        ranked.source,
        -- names and addresses are read from the record itself
        case when ranked.part not in ('name', 'address') then ranked.value end as value,
        ranked.kind,
        ranked.rule,
        case
            when ranked.is_stale then 'max_age_days'
            when ranked.witness = 1 then null
            when ranked.value = ranked.best_value then 'same value'
            else {{ first_difference('ranked.score', 'ranked.best_score') }}
        end as lost_to,
        case
            when ranked.is_stale then 'max_age_days'
            when ranked.witness > 1 then {{ first_difference('ranked.score', 'ranked.score_above') }}
        end as behind
    from ranked
    inner join policies on ranked.policy = policies.part
)

select * from final
