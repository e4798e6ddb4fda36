with clustered as (
    select
        left_record as record,
        right_record as cluster
    from {{ ref('clustering') }}
    where rule is null
),

halves as (
    select clustered.*
    from clustered
    inner join {{ ref('person_said') }} as persons on clustered.record = persons.record
    where persons.first_key is null or persons.last_key is null
),

alone as (
    select cluster
    from clustered
    where cluster in (select halves.cluster from halves)
    group by cluster
    having count(*) = 1
),

-- half a name that nobody else is may still be told by an address
final as (
    select
        clustered.record,
        clustered.cluster,
        alone.cluster is null as is_settled
    from clustered
    left join alone on clustered.cluster = alone.cluster
)

select * from final
