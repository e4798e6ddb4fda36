{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_records('changed_rows') }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('changed_rows') }}
with persons as (
    select
        {{ record() }} as record,
        coalesce(first_name, split_first_name(full_name)) as first_raw,
        coalesce(last_name, split_last_name(full_name)) as last_raw
    from {{ ref('person_observed') }}
    where {{ only_changed(record(), 'changed_rows') }}
),

names as (
    select * from {{ ref('name_values') }}
),

final as (
    select
        persons.record,
        firsts.name as first_name,
        lasts.name as last_name,
        firsts.name_key as first_key,
        lasts.name_key as last_key,
        -- Rossi Mario: the second word is a given name, the first is none
        case
            when coalesce(lasts.is_given_name, false) and not coalesce(firsts.is_given_name, false)
                then firsts.name_key
        end as turning_key
    from persons
    left join names as firsts on persons.first_raw = firsts.raw
    left join names as lasts on persons.last_raw = lasts.raw
    where firsts.name is not null or lasts.name is not null
)

select * from final
