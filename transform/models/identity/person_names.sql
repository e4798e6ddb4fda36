with persons as (
    select
        {{ record() }} as record,
        coalesce(first_name, split_first_name(full_name)) as first_raw,
        coalesce(last_name, split_last_name(full_name)) as last_raw
    from {{ ref('person_observed') }}
),

names as (
    select * from {{ ref('name_values') }}
),

said as (
    select
        persons.record,
        firsts.name as first_name,
        lasts.name as last_name,
        firsts.name_key as first_key,
        lasts.name_key as last_key,
        coalesce(firsts.is_given_name, false) as first_is_given,
        coalesce(lasts.is_given_name, false) as last_is_given
    from persons
    left join names as firsts on persons.first_raw = firsts.raw
    left join names as lasts on persons.last_raw = lasts.raw
    where firsts.name is not null or lasts.name is not null
),

first_names as (
    select
        first_key as name_key,
        count(*) as uses
    from said
    group by first_key
),

last_names as (
    select
        last_key as name_key,
        count(*) as uses
    from said
    group by last_key
),

-- Rossi Mario: the second word is a given name, the first is none and is more often a last name than a first
turned as (
    select
        said.*,
        said.last_is_given and not said.first_is_given
        and coalesce(last_names.uses, 0) > coalesce(first_names.uses, 0) as is_swapped
    from said
    left join first_names on said.first_key = first_names.name_key
    left join last_names on said.first_key = last_names.name_key
),

final as (
    select
        record,
        case when is_swapped then last_name else first_name end as first_name,
        case when is_swapped then first_name else last_name end as last_name,
        case when is_swapped then last_key else first_key end as first_key,
        case when is_swapped then first_key else last_key end as last_key,
        is_swapped
    from turned
)

select * from final
