with mapped as (
    {{ mapped_sources() }}
),

-- a source without a policy is trusted least and serves nothing but service
policies as (
    select * from {{ ref('source_policies') }}
),

allowed as (
    select
        mapped.source,
        coalesce(policies.trust, 0) as trust,
        coalesce(policies.purposes, 'service') as purposes,
        coalesce(policies.survivorship, 'latest') as survivorship,
        -- a bit a source, so that a set of sources is one number; beyond sixty sources nobody agrees any more
        case
            when row_number() over (order by mapped.source) <= 60
                then 1::bigint << (row_number() over (order by mapped.source) - 1)::int
            else 0
        end as source_bit
    from mapped
    left join policies on mapped.source = policies.source
),

-- who may back a value for every purpose that the value serves
covered as (
    select
        ones.source,
        bit_or(others.source_bit) as covers
    from allowed as ones
    inner join allowed as others on {{ serves_all_of('ones.purposes', 'others.purposes') }}
    group by ones.source
),

final as (
    select
        allowed.source,
        allowed.trust,
        allowed.purposes,
        allowed.survivorship,
        allowed.source_bit,
        covered.covers
    from allowed
    inner join covered on allowed.source = covered.source
)

select * from final
