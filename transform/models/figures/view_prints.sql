with rfm as (
    select * from {{ ref('rfm_by_purpose') }}
),

said as (
    select
        customer_id,
        {{ print_of_prints([
            print_of(['purpose']), 'scope', 'records', 'sources', 'first_seen_at', 'last_seen_at',
        ]) }} as print
    from {{ ref('customer_scopes') }}

    union all

    select
        customer_id,
        {{ print_of_prints([
            print_of(['purpose']), 'orders', 'revenue', 'last_order_on', 'loyalty_points', 'visits_12m',
        ]) }} as print
    from {{ ref('facts_by_purpose') }}

    union all

    select
        customer_id,
        {{ print_of_prints([
            print_of(['purpose', lifecycle_stage('rfm')]), 'recency_days', 'frequency', 'monetary', 'recency_class',
            'frequency_class', 'monetary_class',
        ]) }} as print
    from rfm

    union all

    select
        customer_id,
        {{ print_of(['household_id', 'purposes']) }} as print
    from {{ ref('household_members') }}

    union all

    select
        customer_id,
        {{ print_of(['purpose', 'parts']) }} as print
    from {{ ref('purpose_parts') }}
),

final as (
    select
        customer_id,
        sum(print) as print
    from said
    group by customer_id
)

select * from final
