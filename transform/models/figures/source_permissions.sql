with mapped as (
    {{ mapped_sources() }}
),

-- a source without a policy is trusted least and serves nothing but service
policies as (
    select * from {{ ref('source_policies') }}
),

final as (
    select
        mapped.source,
        coalesce(policies.trust, 0) as trust,
        coalesce(policies.purposes, 'service') as purposes,
        coalesce(policies.survivorship, 'latest') as survivorship
    from mapped
    left join policies on mapped.source = policies.source
)

select * from final
