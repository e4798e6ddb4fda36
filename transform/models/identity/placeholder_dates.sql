with persons as (
    select * from {{ ref('person_observed') }}
),

listed as (
    select cast(value as date) as birth_date
    from {{ ref('blocklist') }}
    where kind = 'birth_date'
),

days as (
    select
        birth_date,
        count(*) as records
    from persons
    where birth_date is not null
    group by birth_date
),

weighed as (
    select
        days.*,
        avg(days.records) over () as usual
    from days
),

final as (
    select
        weighed.birth_date,
        weighed.records,
        case when listed.birth_date is null then 'too many people' else 'blocklist' end as reason
    from weighed
    left join listed on weighed.birth_date = listed.birth_date
    where
        listed.birth_date is not null
        or weighed.records >= greatest({{ var('placeholder_date_records', 50) }}, 20 * weighed.usual)
)

select * from final
