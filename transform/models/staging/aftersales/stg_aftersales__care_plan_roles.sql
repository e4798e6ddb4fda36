with source as (
    select * from {{ source('aftersales', 'care_plans') }}
),

roles as (
    select 'policy_holder' as role
    union all
    select 'insured' as role
),

renamed as (
    select
        ---------- ids
        'care_plans' as stream,
        source.plan_no as record_key,
        'registrations' as person_stream,
        source.registration_no as person_key,
        ---------- role
        roles.role,
        -- a plan that has ended gives no role any more, whoever held it
        case
            when source.ends_on < {{ today() }} then 'no'
            else {{ role_state('source.role', 'roles.role') }}
        end as state,
        'care plan ' || source.plan_no::string as holding,
        ---------- timestamps
        coalesce({{ moment('source.updated_at') }}, source._sdc_extracted_at) as observed_at
    from source
    cross join roles
)

select * from renamed
