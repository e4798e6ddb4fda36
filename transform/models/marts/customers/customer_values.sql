{{ config(materialized='view') }}

with records as (
    select
        clusters.record,
        clusters.source,
        clusters.stream,
        clusters.record_key,
        clusters.observed_at,
        permissions.purposes
    from {{ ref('record_clusters') }} as clusters
    inner join {{ ref('source_permissions') }} as permissions on clusters.source = permissions.source
),

-- names and addresses come whole from one record
whole as (
    select
        said.customer_id,
        said.part,
        said.witness,
        said.record,
        said.lost_to,
        said.behind,
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
    from {{ ref('value_witnesses') }} as said
    inner join {{ ref('person_records') }} as persons on said.record = persons.record
    where said.part in ('name', 'address')
),

ranked as (
    select
        customer_id,
        part,
        witness,
        record,
        lost_to,
        behind,
        is_swapped,
        first_name,
        last_name,
        street,
        postcode,
        city,
        province,
        region,
        country,
        postcode_city,
        postcode_province,
        postcode_region,
        {{ part_ranks() }}
    from whole
    window best_first as (partition by customer_id, part order by witness)
),

parted as (
    {{ part_values('ranked') }}
),

gathered as (
    select
        customer_id,
        part as attribute,
        value,
        record,
        kind,
        rule,
        lost_to is null as is_winner,
        witness as rank,
        part,
        witness,
        lost_to,
        behind
    from {{ ref('value_witnesses') }}
    where part not in ('name', 'address')

    union all

    select
        customer_id,
        attribute,
        value,
        record,
        kind,
        rule,
        lost_to is null and rank = 1 as is_winner,
        rank,
        part,
        witness,
        case when lost_to is null and rank > 1 then 'validity' else lost_to end as lost_to,
        case when lost_to is null and rank > 1 then 'validity' else behind end as behind
    from parted
),

final as (
    select
        gathered.customer_id,
        gathered.attribute,
        gathered.value,
        records.source,
        records.stream,
        records.record_key,
        gathered.kind,
        gathered.rule,
        gathered.is_winner,
        gathered.rank,
        gathered.part,
        gathered.witness,
        gathered.lost_to,
        gathered.behind,
        records.observed_at,
        records.purposes
    from gathered
    inner join records on gathered.record = records.record

    union all

    select
        customer_id,
        'lifecycle_stage' as attribute,
        lifecycle_stage as value,
        source,
        stream,
        record_key,
        'derived' as kind,
        rule,
        true as is_winner,
        1 as rank,
        'lifecycle_stage' as part,
        1 as witness,
        null as lost_to,
        null as behind,
        {{ moment('last_purchase_on') }} as observed_at,
        purposes
    from {{ ref('customer_lifecycle') }}
)

select * from final
