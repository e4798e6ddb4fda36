with persons as (
    select
        source,
        stream,
        record_key,
        coalesce(postcode, '') as postcode_raw,
        coalesce(province, '') as province_raw,
        coalesce(city, '') as city_raw
    from {{ ref('person_observed') }}
    where
        (postcode is not null or province is not null or city is not null)
        and coalesce(upper(trim(country)), 'IT') in ('IT', 'ITA', 'ITALIA', 'ITALY', '')
),

rules as (
    select rule
    from {{ ref('quality_rules') }}
    where rule like 'postcode_%' or rule = 'town_merged'
),

places as (
    select
        *,
        postcode_state(postcode_raw) as state,
        postcode_has_province(postcode_raw, province_raw) as has_province,
        town_is_gone(city_raw, coalesce(province, postcode_province)) as is_gone,
        null_like(postcode_raw) is not null and postcode is null as is_none
    from {{ ref('place_values') }}
),

faults as (
    select
        places.postcode_raw,
        places.province_raw,
        places.city_raw,
        rules.rule
    from places
    cross join rules
    where
        case rules.rule
            when 'postcode_not_valid' then places.is_none
            when 'postcode_unknown' then places.state = 'unknown'
            when 'postcode_retired' then places.state = 'retired'
            when 'town_merged' then places.is_gone
            when 'postcode_other_town' then not places.postcode_has_city and coalesce(places.has_province, true)
            when 'postcode_other_province' then not places.has_province
        end
),

final as (
    select
        faults.rule,
        persons.source,
        persons.stream,
        persons.record_key,
        1 as findings
    from persons
    inner join faults
        on
            persons.postcode_raw = faults.postcode_raw
            and persons.province_raw = faults.province_raw
            and persons.city_raw = faults.city_raw
)

select * from final
