with persons as (
    select * from {{ ref('person_observed') }}
),

judged as (
    select
        raw,
        case when name is null and null_like(raw) is null then 'null_like_text' else name_oddity(raw) end as fault
    from {{ ref('name_values') }}
    -- plain names need no second look
    where name is null or not regexp_full_match(raw, '[A-Za-zÀ-ÿ'' .-]{1,200}')
),

nothing as (
    select raw from judged
    where fault = 'null_like_text'
    union
    select raw from {{ ref('email_values') }}
    where email is null and null_like(raw) is null
    union
    select raw from {{ ref('phone_values') }}
    where phone is null and null_like(raw) is null
    union
    select raw from {{ ref('tax_code_values') }}
    where canonical is null and null_like(raw) is null
    union
    select city_raw as raw from {{ ref('place_values') }}
    where city is null and null_like(city_raw) is null
    union
    select postcode_raw as raw from {{ ref('place_values') }}
    where postcode is null and null_like(postcode_raw) is null
    union
    select province_raw as raw from {{ ref('place_values') }}
    where province is null and null_like(province_raw) is null
),

written as (
    select raw from nothing
    where trim(raw) <> ''
),

odd as (
    select
        raw,
        case fault
            when 'too long' then 'text_too_long'
            when 'right to left' then 'name_right_to_left'
            else 'name_' || fault
        end as rule
    from judged
    where fault <> 'null_like_text'
),

halves as (
    select
        source,
        stream,
        record_key,
        first_name as raw
    from persons

    union all

    select
        source,
        stream,
        record_key,
        last_name as raw
    from persons
),

final as (
    select
        'null_like_text' as rule,
        source,
        stream,
        record_key,
        1 as findings
    from persons
    where
        first_name in (select written.raw from written)
        or last_name in (select written.raw from written)
        or full_name in (select written.raw from written)
        or email in (select written.raw from written)
        or mobile in (select written.raw from written)
        or phone in (select written.raw from written)
        or tax_code in (select written.raw from written)
        or city in (select written.raw from written)
        or province in (select written.raw from written)
        or postcode in (select written.raw from written)

    union all

    select distinct
        odd.rule,
        halves.source,
        halves.stream,
        halves.record_key,
        1 as findings
    from halves
    inner join odd on halves.raw = odd.raw
    where odd.rule <> 'text_too_long'

    union all

    select
        'text_too_long' as rule,
        source,
        stream,
        record_key,
        1 as findings
    from persons
    where
        greatest(length(first_name), length(last_name), length(city)) > 200
        or length(full_name) > 400
        or length(street) > 300
        or length(email) > 320
        or greatest(length(mobile), length(phone), length(tax_code), length(postcode)) > 100
)

select * from final
