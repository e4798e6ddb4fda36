with witnesses as (
    select * from {{ ref('value_witnesses') }}
),

-- names and addresses come whole from one record
whole as (
    select
        witnesses.*,
        persons.first_name,
        persons.last_name,
        persons.is_swapped,
        persons.street,
        persons.postcode,
        persons.city,
        persons.province,
        persons.region,
        persons.country,
        persons.postcode_city,
        persons.postcode_province,
        persons.postcode_region
    from witnesses
    inner join {{ ref('person_records') }} as persons on witnesses.record = persons.record
    where witnesses.part in ('name', 'address')
),

ranked as (
    select
        *,
        {{ part_ranks() }}
    from whole
    window best_first as (partition by customer_id, part order by witness)
),

parted as (
    {{ part_values('ranked') }}
),

final as (
    select
        customer_id,
        part as attribute,
        value,
        source,
        stream,
        record_key,
        kind,
        rule,
        lost_to is null as is_winner,
        witness as rank,
        part,
        witness,
        lost_to,
        behind,
        observed_at,
        purposes
    from witnesses
    where part not in ('name', 'address')

    union all

    select
        customer_id,
        attribute,
        value,
        source,
        stream,
        record_key,
        kind,
        rule,
        lost_to is null and rank = 1 as is_winner,
        rank,
        part,
        witness,
        case when lost_to is null and rank > 1 then 'validity' else lost_to end as lost_to,
        case when lost_to is null and rank > 1 then 'validity' else behind end as behind,
        observed_at,
        purposes
    from parted
)

select * from final
