with persons as (
    select
        *,
        {{ record() }} as record,
        coalesce(postcode, '') as postcode_raw,
        coalesce(province, '') as province_raw,
        coalesce(city, '') as city_raw
    from {{ ref('person_observed') }}
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
    from (select distinct language as raw from {{ ref('person_observed') }}) as seen
),

countries as (
    select
        raw,
        upper(null_like(raw)) as country
    from (select distinct country as raw from {{ ref('person_observed') }}) as seen
),

placeholders as (
    select * from {{ ref('placeholder_dates') }}
),

-- a code has two digits of the year: who seems a child may be over a hundred, and then some record of the code says so
centenarians as (
    select distinct tax_codes.canonical
    from persons
    inner join tax_codes on persons.tax_code = tax_codes.raw and persons.birth_date = tax_codes.early_birth_date
    left join placeholders on persons.birth_date = placeholders.birth_date
    where placeholders.birth_date is null and tax_codes.late_birth_date <= {{ today() }}
),

final as (
    select
        ---------- ids
        persons.record,
        persons.source,
        persons.stream,
        persons.record_key,
        ---------- person
        names.first_name,
        names.last_name,
        names.first_key,
        names.last_key,
        names.is_swapped,
        case
            when persons.birth_date < cast('1900-01-01' as date) or persons.birth_date > {{ today() }} then null
            when placeholders.birth_date is null then persons.birth_date
        end as birth_date,
        case when upper(trim(persons.sex)) in ('M', 'F') then upper(trim(persons.sex)) end as sex,
        languages.language,
        tax_codes.tax_code,
        tax_codes.canonical as tax_code_canonical,
        case
            when tax_codes.late_birth_date is null then tax_codes.early_birth_date
            when tax_codes.early_birth_date is null then tax_codes.late_birth_date
            when tax_codes.late_birth_date > {{ today() }} then tax_codes.early_birth_date
            when persons.birth_date = tax_codes.late_birth_date then tax_codes.late_birth_date
            when centenarians.canonical is not null then tax_codes.early_birth_date
            else tax_codes.late_birth_date
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
    left join {{ ref('person_names') }} as names on persons.record = names.record
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
    left join centenarians on tax_codes.canonical = centenarians.canonical
)

select * from final
