{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook="{{ forget_values_read_otherwise() }}"
) }}
-- depends_on: {{ ref('identity_run') }}

with seen as (
    select distinct
        coalesce(postcode, '') as postcode_raw,
        coalesce(province, '') as province_raw,
        coalesce(city, '') as city_raw
    from {{ ref('person_observed') }}
    where postcode is not null or province is not null or city is not null
),

final as (
    select
        postcode_raw,
        province_raw,
        city_raw,
        normalise_postcode(postcode_raw) as postcode,
        normalise_province(province_raw) as province,
        null_like(city_raw) as city,
        province_region(province_raw) as region,
        postcode_province(postcode_raw) as postcode_province,
        postcode_region(postcode_raw) as postcode_region,
        postcode_city(postcode_raw) as postcode_city,
        postcode_has_city(postcode_raw, city_raw) as postcode_has_city
    from seen
    where true {{ not_yet_known(['postcode_raw', 'province_raw', 'city_raw']) }}
)

select * from final
