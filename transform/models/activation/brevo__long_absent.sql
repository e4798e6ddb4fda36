with audience as (
    {{ audience('long_absent') }}
),

golden as (
    {{ permitted_values(['email', 'first_name', 'last_name', 'sex', 'language', 'lifecycle_stage', 'city']) }}
),

purchased as (
    {{ permitted_purchases() }}
),

-- a mailbox that a family shares gets one letter, to whom of them bought last
addressed as (
    select
        audience.customer_id,
        golden.email,
        golden.first_name,
        golden.last_name,
        {{ salutation('golden.first_name', 'golden.last_name', 'golden.sex', 'golden.language') }} as salutation,
        coalesce(golden.language, 'it') as language,
        golden.lifecycle_stage,
        golden.city,
        purchased.last_order_on
    from audience
    inner join golden on audience.customer_id = golden.customer_id
    left join purchased on audience.customer_id = purchased.customer_id
    where golden.email is not null
    qualify row_number() over (
        partition by golden.email
        order by purchased.last_order_on desc nulls last, audience.customer_id asc
    ) = 1
),

final as (
    select
        customer_id,
        email,
        first_name,
        last_name,
        salutation,
        language,
        lifecycle_stage,
        city,
        last_order_on
    from addressed
)

select * from final
