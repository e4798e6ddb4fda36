with final as (
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
    from {{ ref('person_records') }} as persons
    left join {{ ref('customer_ids') }} as customers on persons.record = customers.record
    where persons.province <> persons.postcode_province or not persons.postcode_has_city
)

select * from final
