with audience as (
    {{ audience('loyal') }}
),

golden as (
    {{ permitted_values(['email', 'first_name', 'last_name', 'sex', 'language', 'lifecycle_stage']) }}
),

purchased as (
    {{ permitted_purchases() }}
),

final as (
    select
        audience.customer_id,
        golden.email,
        golden.first_name,
        {{ salutation('golden.first_name', 'golden.last_name', 'golden.sex', 'golden.language') }} as salutation,
        coalesce(golden.language, 'it') as language,
        golden.lifecycle_stage,
        purchased.last_order_on
    from audience
    inner join golden on audience.customer_id = golden.customer_id
    left join purchased on audience.customer_id = purchased.customer_id
)

select * from final
