{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_records('retold_records') }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('retold_records') }}
with persons as (
    select
        *,
        {{ record() }} as record,
        coalesce(postcode, '') as postcode_raw,
        coalesce(province, '') as province_raw,
        coalesce(city, '') as city_raw
    from {{ ref('person_observed') }}
    where {{ only_changed(record(), 'retold_records') }}
),

tax_codes as (
    select * from {{ ref('tax_code_values') }}
    where canonical is not null
),

-- few are the languages and countries, and many the records
languages as (
    select
        raw,
        lower(null_like(raw)) as language
    from (select distinct language as raw from persons) as seen
),

countries as (
    select
        raw,
        upper(null_like(raw)) as country
    from (select distinct country as raw from persons) as seen
),

placeholders as (
    select * from {{ ref('placeholder_dates') }}
),

-- a name of this pair is more often a last name than a first
names as (
    select
        names.record,
        names.first_name,
        names.last_name,
        names.first_key,
        names.last_key,
        turns.name_key is not null as is_swapped
    from {{ ref('person_names') }} as names
    left join {{ ref('turning_names') }} as turns on names.turning_key = turns.name_key
),

final as (
    select
        ---------- ids
        persons.record,
        persons.source,
        persons.stream,
        persons.record_key,
        ---------- person
        case when names.is_swapped then names.last_name else names.first_name end as first_name,
        case when names.is_swapped then names.first_name else names.last_name end as last_name,
        case when names.is_swapped then names.last_key else names.first_key end as first_key,
        case when names.is_swapped then names.first_key else names.last_key end as last_key,
        names.is_swapped,
        persons.birth_date as told_birth_date,
        {{ birth_date_that_counts('persons.birth_date', 'placeholders.birth_date') }} as birth_date,
        case when upper(trim(persons.sex)) in ('M', 'F') then upper(trim(persons.sex)) end as sex,
        languages.language,
        tax_codes.tax_code,
        tax_codes.canonical as tax_code_canonical,
        case
            when tax_codes.late_birth_date is null then tax_codes.early_birth_date
            when tax_codes.early_birth_date is null then tax_codes.late_birth_date
            when tax_codes.late_birth_date > {{ today() }} then tax_codes.early_birth_date
            else {{ born_in_either_century('persons.birth_date', 'tax_codes', 'centenarians.canonical') }}
        end as tax_code_birth_date,
        tax_codes.sex as tax_code_sex,
        ---------- address
        streets.street,
        streets.street_key,
        places.postcode,
        places.city,
        places.province,
        places.region,
        places.postcode_city,
        places.postcode_province,
        places.postcode_region,
        places.postcode_has_city,
        countries.country,
        ---------- timestamps
        coalesce(persons.first_seen_at, persons.observed_at) as first_seen_at,
        persons.observed_at
    from persons
    left join names on persons.record = names.record
    left join tax_codes on persons.tax_code = tax_codes.raw
    left join languages on persons.language = languages.raw
    left join countries on persons.country = countries.raw
    left join {{ ref('street_values') }} as streets on persons.street = streets.raw
    left join {{ ref('place_values') }} as places
        on
            persons.postcode_raw = places.postcode_raw
            and persons.province_raw = places.province_raw
            and persons.city_raw = places.city_raw
    left join placeholders on persons.birth_date = placeholders.birth_date
    left join {{ ref('centenarians') }} as centenarians on tax_codes.canonical = centenarians.canonical
)

select * from final
