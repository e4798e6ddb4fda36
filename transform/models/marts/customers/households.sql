with final as (
    select
        members.household_id,
        count(*) as members,
        min_by(members.last_name, members.customer_id) filter (where members.last_name is not null) as surname,
        min_by(addresses.postcode, members.customer_id) filter (where addresses.postcode is not null) as postcode,
        min_by(addresses.city, members.customer_id) filter (where addresses.postcode is not null) as city
    from {{ ref('household_members') }} as members
    left join {{ ref('customer_addresses') }} as addresses on members.customer_id = addresses.customer_id
    group by members.household_id
)

select * from final
