with addresses as (
    select * from {{ ref('customer_addresses') }}
),

homes as (
    select
        customer_id,
        last_key,
        street_key || '|' || postcode as home
    from addresses
    where street_key is not null and postcode is not null
),

-- people under one roof with one surname, and whoever lives alone; neighbours of one name are the price
same_name as (
    select
        homes.customer_id,
        min(homes.customer_id) over (partition by homes.home, homes.last_key) as other_id
    from homes
    where homes.last_key is not null
),

reached as (
    select distinct
        customer_id,
        attribute as kind,
        value
    from {{ ref('customer_values') }}
    where attribute in ('email', 'phone') and {{ permits('purposes', 'profiling') }}
),

-- people who share an address to write to or a line, and do not live apart
shared as (
    select
        lefts.customer_id,
        rights.customer_id as other_id
    from reached as lefts
    inner join reached as rights
        on
            lefts.kind = rights.kind
            and lefts.value = rights.value
            and lefts.customer_id > rights.customer_id
    left join homes as left_homes on lefts.customer_id = left_homes.customer_id
    left join homes as right_homes on rights.customer_id = right_homes.customer_id
    where
        left_homes.home is null or right_homes.home is null or left_homes.home = right_homes.home
),

final as (
    select
        customer_id,
        other_id
    from same_name

    union

    select
        customer_id,
        other_id
    from shared
)

select * from final
