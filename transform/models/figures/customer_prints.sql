with records as (
    select
        ids.customer_id,
        clusters.record,
        {{ print_of(['clusters.record']) }} as record_id,
        clusters.first_seen,
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
        print
    from {{ ref('spoken_prints') }}

    union all

    select
        {{ person_record() }} as record,
        {{ print_of_texts(['attribute', 'value', 'kind']) }} as print
    from {{ ref('attribute_observed') }}
),

gathered as (
    select
        records.customer_id,
        {{ print_of_prints(['records.record_id', 'said.print']) }} as print
    from said
    inner join records on said.record = records.record

    union all

    select
        customer_id,
        {{ print_of_prints(['record_id', 'first_seen', 'observed_at']) }} as print
    from records

    union all

    -- what is too old today was not yesterday
    select
        records.customer_id,
        {{ print_of_prints(['records.record_id', 'ages.max_age_days']) }} as print
    from records
    inner join ages on {{ days_between('records.observed_at', today()) }} > ages.max_age_days

    union all

    select
        customer_id,
        {{ print_of_prints([
            print_of_texts(['lifecycle_stage', 'rule', 'source', 'stream', 'record_key', 'purposes']), 'last_purchase_on',
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
