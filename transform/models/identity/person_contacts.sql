{{ config(materialized='view') }}

with identifiers as (
    select
        record,
        kind,
        value
    from {{ ref('usable_identifiers') }}
),

mobiles as (
    select distinct phone
    from {{ ref('phone_values') }}
    where phone_kind = 'mobile'
),

final as (
    select
        record,
        kind,
        value
    from identifiers
    where kind = 'email'

    union all

    select
        identifiers.record,
        'mobile' as kind,
        identifiers.value
    from identifiers
    inner join mobiles on identifiers.value = mobiles.phone
    where identifiers.kind = 'phone'
)

select * from final
