with links as (
    select * from {{ ref('household_links') }}
),

sides as (
    select
        customer_id,
        evidence,
        purposes
    from links
    union all
    select
        other_id as customer_id,
        evidence,
        purposes
    from links
),

-- what rests on several rows serves what all of them allow
final as (
    select
        households.customer_id as household_id,
        string_agg(distinct sides.evidence, ', ' order by sides.evidence) as evidence,
        {{ common_purposes('sides.purposes') }} as purposes
    from sides
    inner join {{ ref('household_ids') }} as households on sides.customer_id = households.record
    group by households.customer_id
)

select * from final
