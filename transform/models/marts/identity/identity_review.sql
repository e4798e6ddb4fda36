with pairs as (
    select
        left_record,
        right_record,
        left_customer,
        right_customer,
        probability,
        reason,
        pairs
    from {{ ref('open_pairs') }}
    where is_strongest
),

conflicts as (
    select
        left_customer,
        right_customer,
        min(reason) as contradiction
    from {{ ref('open_conflicts') }}
    group by left_customer, right_customer
),

sizes as (
    select
        customers.customer_id,
        count(*) as records
    from {{ ref('customer_ids') }} as customers
    inner join {{ ref('person_marks') }} as persons on customers.record = persons.record
    where
        customers.customer_id in (select pairs.left_customer from pairs)
        or customers.customer_id in (select pairs.right_customer from pairs)
    group by customers.customer_id
),

-- who could be either of two people is one of them, or neither
rivals as (
    select
        ends.customer_id,
        count(*) as customers
    from (
        select unnest([left_customer, right_customer]) as customer_id
        from pairs
        where reason = 'could be either of two people'
    ) as ends
    group by ends.customer_id
),

asked as (
    select
        pairs.left_record,
        pairs.right_record,
        pairs.left_customer,
        pairs.right_customer,
        case
            when pairs.reason = 'could be either of two people'
                then pairs.probability / greatest(lefts.customers, rights.customers)
            else pairs.probability
        end as probability,
        pairs.reason,
        conflicts.contradiction,
        pairs.pairs
    from pairs
    left join conflicts
        on pairs.left_customer = conflicts.left_customer and pairs.right_customer = conflicts.right_customer
    left join rivals as lefts on pairs.left_customer = lefts.customer_id
    left join rivals as rights on pairs.right_customer = rights.customer_id
    -- what cannot be one person need not be asked; which of two people a record is, must be
    where conflicts.contradiction is null or pairs.reason = 'could be either of two people'
),

final as (
    select
        asked.left_record,
        asked.right_record,
        asked.left_customer,
        asked.right_customer,
        asked.probability,
        asked.reason,
        asked.contradiction,
        asked.pairs,
        least(lefts.records, rights.records) as moves,
        asked.probability * lefts.records * rights.records as worth,
        evidence.evidence
    from asked
    left join {{ ref('open_evidence') }} as evidence
        on asked.left_record = evidence.left_record and asked.right_record = evidence.right_record
    inner join sizes as lefts on asked.left_customer = lefts.customer_id
    inner join sizes as rights on asked.right_customer = rights.customer_id
)

select * from final
