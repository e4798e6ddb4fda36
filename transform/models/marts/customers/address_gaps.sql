with persons as (
    select * from {{ ref('person_records') }}
),

customers as (
    select * from {{ ref('customer_ids') }}
),

final as (
    select
        persons.source,
        persons.stream,
        persons.record_key,
        customers.customer_id,
        persons.postcode,
        persons.city as stated_city,
        persons.province as stated_province,
        persons.postcode_city,
        persons.postcode_province,
        case
            when persons.province <> persons.postcode_province then 'the postcode is of another province'
            else 'the postcode is of another town'
        end as contradiction
    from persons
    left join customers on persons.record = customers.record
    where persons.province <> persons.postcode_province or not persons.postcode_has_city
)

select * from final
