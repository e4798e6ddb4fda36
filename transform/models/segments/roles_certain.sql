{% macro segment__roles_certain() %}{{ return('roles_certain') }}{% endmacro %}

with roles as (
    select
        roles.*,
        permissions.purposes
    from {{ ref('customer_roles') }} as roles
    inner join {{ ref('source_permissions') }} as permissions on roles.source = permissions.source
    where roles.role in ('policy_holder', 'insured') and roles.state = 'yes'
),

final as (
    select
        customer_id,
        string_agg(
            replace(role, '_', ' ') || ' by ' || holding || ' (' || source || '/' || stream || '/' || record_key || ')',
            '; ' order by role
        ) as reason,
        {{ common_purposes('purposes') }} as purposes
    from roles
    group by customer_id
)

select * from final
