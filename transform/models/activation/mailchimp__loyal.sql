with audience as (
    {{ audience('loyal') }}
),

golden as (
    {{ permitted_values(['email', 'first_name', 'last_name', 'language', 'lifecycle_stage']) }}
),

-- a mailbox that a family shares is one contact, of whom of them was here first
addressed as (
    select
        audience.customer_id,
        golden.email,
        golden.first_name,
        golden.last_name,
        coalesce(golden.language, 'it') as language,
        golden.lifecycle_stage
    from audience
    inner join golden on audience.customer_id = golden.customer_id
    where golden.email is not null
    qualify row_number() over (partition by golden.email order by audience.customer_id asc) = 1
),

final as (
    select
        customer_id,
        email,
        first_name,
        last_name,
        language,
        lifecycle_stage
    from addressed
)

select * from final
