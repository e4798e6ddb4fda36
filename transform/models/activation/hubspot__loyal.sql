with audience as (
    {{ audience('loyal') }}
),

golden as (
    {{ permitted_values(['email', 'first_name', 'last_name', 'lifecycle_stage']) }}
),

purchased as (
    {{ permitted_purchases() }}
),

-- HubSpot has one contact an address; who of a family was here first keeps it
addressed as (
    select
        audience.customer_id,
        audience.reason,
        case
            when
                row_number() over (partition by golden.email order by audience.customer_id asc) = 1
                then golden.email
        end as email,
        golden.first_name,
        golden.last_name,
        golden.lifecycle_stage
    from audience
    inner join golden on audience.customer_id = golden.customer_id
),

final as (
    select
        addressed.customer_id,
        addressed.email,
        addressed.first_name,
        addressed.last_name,
        addressed.lifecycle_stage,
        addressed.reason,
        purchased.orders,
        purchased.revenue,
        purchased.last_order_on
    from addressed
    left join purchased on addressed.customer_id = purchased.customer_id
)

select * from final
