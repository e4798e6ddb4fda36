with records as (
    select
        ids.customer_id,
        clusters.record,
        clusters.source,
        clusters.stream,
        clusters.record_key,
        clusters.observed_at
    from {{ ref('record_clusters') }} as clusters
    inner join {{ ref('customer_ids') }} as ids on clusters.record = ids.record
),

ages as (
    select distinct max_age_days
    from {{ ref('survivorship') }}
    where max_age_days is not null
),

said as (
    select
        record,
        {{ print_of([
            'first_name', 'last_name', 'first_key', 'last_key', 'is_swapped', 'birth_date', 'sex', 'tax_code',
            'language', 'street', 'street_key', 'postcode', 'city', 'province', 'region', 'country',
            'tax_code_birth_date', 'tax_code_sex', 'postcode_city', 'postcode_province', 'postcode_region',
        ]) }} as print
    from {{ ref('person_records') }}

    union all

    select
        record,
        {{ print_of(['kind', 'value', 'place']) }} as print
    from {{ ref('usable_identifiers') }}
    where kind in ('email', 'phone')

    union all

    select
        {{ person_record() }} as record,
        {{ print_of(['attribute', 'value', 'kind']) }} as print
    from {{ ref('attribute_observed') }}

    union all

    -- what is too old today was not yesterday
    select
        records.record,
        {{ print_of(['ages.max_age_days']) }} as print
    from records
    inner join ages on {{ days_between('records.observed_at', today()) }} > ages.max_age_days
),

gathered as (
    select
        records.customer_id,
        {{ print_of(['said.record', 'said.print']) }} as print
    from said
    inner join records on said.record = records.record

    union all

    select
        customer_id,
        {{ print_of(['record', 'source', 'stream', 'record_key', 'observed_at']) }} as print
    from records

    union all

    select
        customer_id,
        {{ print_of([
            'lifecycle_stage', 'rule', 'source', 'stream', 'record_key', 'last_purchase_on', 'purposes',
        ]) }} as print
    from {{ ref('customer_lifecycle') }}
),

final as (
    select
        customer_id,
        sum(print) as print
    from gathered
    group by customer_id
)

select * from final
