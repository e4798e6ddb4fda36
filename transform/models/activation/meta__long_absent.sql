with members as (
    {{ ads_members('long_absent') }}
),

final as (
    select
        customer_id,
        email,
        phone,
        first_name,
        last_name,
        birth_date,
        city,
        postcode,
        country
    from members
)

select * from final
