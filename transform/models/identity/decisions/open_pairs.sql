with pairs as (
    select
        left_record,
        right_record,
        probability,
        'likely, not certain' as reason
    from {{ ref('likelihood_pairs') }}
    where probability < {{ var('likelihood_accept') }}

    union all

    select
        left_record,
        right_record,
        strength as probability,
        reason
    from {{ ref('clustering') }}
    where reason = 'could be either of two people'
),

customers as (
    select * from {{ ref('customer_ids') }}
),

-- a decision settles every pair of the same two customers
decided as (
    select distinct
        least(lefts.customer_id, rights.customer_id) as one,
        greatest(lefts.customer_id, rights.customer_id) as other
    from {{ ref('decisions') }} as decisions
    inner join customers as lefts on decisions.left_record = lefts.record
    inner join customers as rights on decisions.right_record = rights.record
),

found as (
    select
        pairs.left_record,
        pairs.right_record,
        lefts.customer_id as left_customer,
        rights.customer_id as right_customer,
        least(lefts.customer_id, rights.customer_id) as one,
        greatest(lefts.customer_id, rights.customer_id) as other,
        min(pairs.reason) as reason,
        max(pairs.probability) as probability
    from pairs
    inner join customers as lefts on pairs.left_record = lefts.record
    inner join customers as rights on pairs.right_record = rights.record
    -- who is one customer by now is not asked about
    where lefts.customer_id <> rights.customer_id
    group by pairs.left_record, pairs.right_record, lefts.customer_id, rights.customer_id
),

-- one question a couple of customers, asked of its strongest pair
final as (
    select
        found.*,
        count(*) over (partition by found.one, found.other) as pairs,
        row_number() over (
            partition by found.one, found.other
            order by found.reason asc, found.probability desc, found.left_record asc, found.right_record asc
        ) = 1 as is_strongest
    from found
    left join decided on found.one = decided.one and found.other = decided.other
    where decided.one is null
)

select * from final
