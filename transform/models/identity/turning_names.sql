with asked as (
    select distinct turning_key as name_key
    from {{ ref('person_names') }}
    where turning_key is not null
),

first_names as (
    select
        first_key as name_key,
        count(*) as uses
    from {{ ref('person_names') }}
    where first_key in (select asked.name_key from asked)
    group by first_key
),

last_names as (
    select
        last_key as name_key,
        count(*) as uses
    from {{ ref('person_names') }}
    where last_key in (select asked.name_key from asked)
    group by last_key
),

final as (
    select last_names.name_key
    from last_names
    left join first_names on last_names.name_key = first_names.name_key
    where last_names.uses > coalesce(first_names.uses, 0)
)

select * from final
