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

-- numbers stand for customers, records, parts and manners of knowing until all is in order: to sort is to copy
changed as (
    select
        customer_id,
        (row_number() over (order by customer_id))::int as customer_no
    from {{ ref('changed_customers') }}
),

people as (
    select
        changed.customer_id,
        changed.customer_no,
        records.record,
        (row_number() over (order by records.record))::int as record_no,
        records.source,
        cast(records.observed_at as date) as observed_on,
        case permissions.survivorship when 'latest' then 1 else -1 end * {{ seconds('records.observed_at') }} as recency
    from {{ ref('customer_ids') }} as customers
    inner join changed on customers.customer_id = changed.customer_id
    inner join {{ ref('record_clusters') }} as records on customers.record = records.record
    inner join {{ ref('source_permissions') }} as permissions on records.source = permissions.source
),

persons as (
    select
        {{ voice_columns('people') }},
        case
            when coalesce(said.first_name, said.last_name) is not null
                then concat_ws('|', said.first_key, said.last_key)
        end as name,
        case when said.first_key is null or said.last_key is null then 1 else 2 end as name_completeness,
        case
            when coalesce(said.street, said.postcode, said.city, said.province, said.region, said.country) is not null
                then concat_ws('|', coalesce(said.street_key, said.street), said.postcode)
        end as address,
        case when said.street is null then 0 else 1 end
        + case when said.postcode is null then 0 else 1 end as address_completeness,
        said.birth_date::string as birth_date,
        said.sex,
        said.tax_code,
        said.language,
        said.tax_code_birth_date::string as tax_code_birth_date,
        said.tax_code_sex
    from people
    inner join {{ ref('person_records') }} as said on people.record = said.record
),

attributes as (
    select
        {{ person_record() }} as record,
        attribute,
        value,
        kind
    from {{ ref('attribute_observed') }}
    where value is not null
),

manners as (
    {{ manners() }}
    union all
    select
        4 + row_number() over (order by kind) as manner,
        kind,
        'as observed' as rule,
        false as is_vouched
    from (select distinct kind from attributes) as kinds
),

named_parts as (
    {{ part_rows() }}
    union
    select attribute as part from attributes
),

parts as (
    select
        named.part,
        (row_number() over (order by named.part))::int as part_no,
        policies.max_age_days,
        {{ shift_columns('policies') }}
    from named_parts as named
    left join policies as own on named.part = own.part
    inner join policies on coalesce(own.part, '*') = policies.part
),

voices as (
    {{ spoken_parts() }}
    union all
    select
        {{ voice_columns('people') }},
        identifiers.kind as part,
        identifiers.value,
        case when said.record_no is null then 4 else 1 end as manner,
        identifiers.place,
        1 as completeness
    from {{ ref('usable_identifiers') }} as identifiers
    inner join people on identifiers.record = people.record
    left join persons as said on people.record_no = said.record_no
    where identifiers.kind in ('email', 'phone')
    union all
    select
        {{ voice_columns('people') }},
        attributes.attribute as part,
        attributes.value,
        manners.manner,
        1 as place,
        1 as completeness
    from attributes
    inner join people on attributes.record = people.record
    inner join manners on attributes.kind is not distinct from manners.kind and manners.rule = 'as observed'
),

known as (
    select
        voices.*,
        parts.part_no,
        parts.max_age_days,
        {{ shift_columns('parts') }},
        permissions.source_bit,
        permissions.covers,
        coalesce(trusted.trust, permissions.trust) as trust,
        manners.kind,
        manners.is_vouched
    from voices
    inner join parts on voices.part = parts.part
    inner join manners on voices.manner = manners.manner
    inner join {{ ref('source_permissions') }} as permissions on voices.source = permissions.source
    left join {{ ref('source_trust') }} as trusted on voices.source = trusted.source and voices.part = trusted.part
),

-- what is too old stands behind all that is not
governed as (
    select
        customer_no,
        part_no,
        record_no,
        value,
        manner,
        place,
        is_vouched,
        source_bit,
        covers,
        shift_agreement,
        case
            when coalesce({{ days_between('observed_on', today()) }} > max_age_days, false) then 0::bigint
            else {{ fresh() }}
        end
        + {{ score(criteria_but('agreement')) }} as score
    from known
),

-- sources that say the same; only where a policy asks
backed as (
    select
        customer_no,
        part_no,
        value,
        bit_or(source_bit) as backers
    from governed
    where shift_agreement is not null
    group by customer_no, part_no, value
    having bit_count(bit_or(source_bit)) > 1
),

counted as (
    select
        governed.*,
        -- a source that may not serve what the value serves does not count for it: no purpose feels it
        coalesce(bit_count(backed.backers & governed.covers), 1) as agreement
    from governed
    left join backed
        on
            governed.customer_no = backed.customer_no
            and governed.part_no = backed.part_no
            and governed.value = backed.value
    where governed.shift_agreement is not null
),

scored as (
    select
        customer_no,
        part_no,
        record_no,
        value,
        manner,
        place,
        is_vouched,
        score
    from governed
    where shift_agreement is null

    union all

    select
        customer_no,
        part_no,
        record_no,
        value,
        manner,
        place,
        is_vouched,
        score + {{ score(['agreement']) }} as score
    from counted
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
        partition by customer_no, part_no
        order by score desc, record_no asc, is_vouched desc, place asc, value asc
    )
),

final as (
    select
        people.customer_id,
        parts.part,
        ranked.witness,
        people.record,
        people.source,
        -- names and addresses are read from the record itself
        case when parts.part not in ('name', 'address') then ranked.value end as value,
        manners.kind,
        manners.rule,
        case
            when ranked.score < {{ fresh() }} then 'max_age_days'
            when ranked.witness = 1 then null
            when ranked.value = ranked.best_value then 'same value'
            else {{ first_difference('ranked.score', 'ranked.best_score') }}
        end as lost_to,
        case
            when ranked.score < {{ fresh() }} then 'max_age_days'
            when ranked.witness > 1 then {{ first_difference('ranked.score', 'ranked.score_above') }}
        end as behind
    from ranked
    inner join people on ranked.record_no = people.record_no
    inner join parts on ranked.part_no = parts.part_no
    inner join manners on ranked.manner = manners.manner
)

select * from final
