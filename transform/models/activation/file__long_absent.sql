with audience as (
    {{ audience('long_absent') }}
),

golden as (
    {{ permitted_values(['email', 'phone', 'first_name', 'last_name', 'postcode']) }}
),

final as (
    select
        audience.customer_id,
        golden.email,
        golden.phone,
        golden.first_name,
        golden.last_name,
        golden.postcode,
        'IT' as country
    from audience
    inner join golden on audience.customer_id = golden.customer_id
)

select * from final
