{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook="{{ forget_values_read_otherwise() }}"
) }}
-- depends_on: {{ ref('identity_run') }}

with persons as (
    select * from {{ ref('person_observed') }}
),

seen as (
    select distinct raw
    from (
        select first_name as raw from persons
        union all
        select last_name as raw from persons
        union all
        select split_first_name(full_name) as raw from persons
        union all
        select split_last_name(full_name) as raw from persons
    ) as said
    where raw is not null
),

final as (
    select
        raw,
        normalise_name(raw) as name,
        fold_name(raw) as name_key,
        -- split_name puts a known given name in front of a word that is none
        coalesce(split_last_name('Zq ' || fold_name(raw)) = 'Zq', false) as is_given_name
    from seen
    where true {{ not_yet_known(['raw']) }}
)

select * from final
