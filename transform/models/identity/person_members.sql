with clustered as (
    select
        left_record as record,
        right_record as cluster,
        count(*) over (partition by right_record) as records
    from {{ ref('clustering') }}
    where rule is null
),

halves as (
    select record
    from {{ ref('person_records') }}
    where first_key is null or last_key is null
),

-- half a name that nobody else is may still be told by an address
final as (
    select
        clustered.record,
        clustered.cluster,
        halves.record is null or clustered.records > 1 as is_settled
    from clustered
    left join halves on clustered.record = halves.record
)

select * from final
