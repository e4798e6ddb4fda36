with said as (
    select * from {{ ref('person_said') }}
),

blocked as (
    select * from {{ ref('blocked_identifiers') }}
    where kind = 'tax_code'
),

final as (
    select
        ---------- ids
        said.record,
        said.source,
        said.stream,
        said.record_key,
        ---------- person
        said.first_name,
        said.last_name,
        said.first_key,
        said.last_key,
        said.is_swapped,
        said.birth_date,
        said.sex,
        said.language,
        case when blocked.value is null then said.tax_code end as tax_code,
        case when blocked.value is null then said.tax_code_canonical end as tax_code_canonical,
        case when blocked.value is null then said.tax_code_birth_date end as tax_code_birth_date,
        case when blocked.value is null then said.tax_code_sex end as tax_code_sex,
        ---------- address
        said.street,
        said.street_key,
        said.postcode,
        said.city,
        said.province,
        said.region,
        said.postcode_city,
        said.postcode_province,
        said.postcode_region,
        said.postcode_has_city,
        said.country,
        ---------- timestamps
        said.first_seen_at,
        said.observed_at
    from said
    left join blocked on said.tax_code_canonical = blocked.value
)

select * from final
