with audience as (
    {{ audience('loyal') }}
),

golden as (
    {{ permitted_values(['first_name', 'last_name', 'email']) }}
),

scored as (
    {{ permitted_scores() }}
),

final as (
    select
        audience.customer_id,
        golden.first_name || ' ' || golden.last_name as name,
        golden.email,
        scored.score,
        audience.reason
    from audience
    inner join golden on audience.customer_id = golden.customer_id
    left join scored on audience.customer_id = scored.customer_id
    where golden.first_name is not null and golden.last_name is not null
)

select * from final
