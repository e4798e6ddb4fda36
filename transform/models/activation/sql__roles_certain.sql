with audience as (
    {{ audience('roles_certain') }}
),

roles as (
    select
        roles.customer_id,
        count(*) filter (where roles.role = 'policy_holder' and roles.state = 'yes') as policies_held,
        count(*) filter (where roles.role = 'insured' and roles.state = 'yes') as policies_insured
    from {{ ref('customer_roles') }} as roles
    inner join {{ ref('source_permissions') }} as permissions on roles.source = permissions.source
    where {{ permits('permissions.purposes', 'service') }}
    group by roles.customer_id
),

final as (
    select
        audience.customer_id,
        roles.policies_held,
        roles.policies_insured,
        audience.reason
    from audience
    inner join roles on audience.customer_id = roles.customer_id
)

select * from final
