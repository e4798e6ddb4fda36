with final as (
    select
        members.household_id,
        count(*) as members,
        count_if(members.age_group = 'adult')::bigint as adults,
        count_if(members.age_group = 'child')::bigint as children,
        min(members.customer_id) filter (where members.is_head) as head_customer_id,
        coalesce(
            min(members.last_name) filter (where members.is_head),
            min_by(members.last_name, members.customer_id) filter (where members.last_name is not null)
        ) as surname,
        string_agg(distinct members.last_name, ', ' order by members.last_name) as surnames,
        min_by(addresses.postcode, members.customer_id) filter (where addresses.postcode is not null) as postcode,
        min_by(addresses.city, members.customer_id) filter (where addresses.postcode is not null) as city,
        min(evidence.evidence) as evidence,
        min(evidence.purposes) as purposes
    from {{ ref('household_members') }} as members
    inner join {{ ref('household_evidence') }} as evidence on members.household_id = evidence.household_id
    left join {{ ref('customer_addresses') }} as addresses on members.customer_id = addresses.customer_id
    group by members.household_id
)

select * from final
