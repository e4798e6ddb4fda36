with members as (
    select
        households.customer_id as household_id,
        households.record as customer_id,
        known.last_name,
        known.postcode,
        {{ age_group('known.birth_date') }} as age_group,
        known.birth_date,
        known.first_seen_at,
        evidence.purposes
    from {{ ref('household_ids') }} as households
    inner join {{ ref('household_evidence') }} as evidence on households.customer_id = evidence.household_id
    left join {{ ref('customer_addresses') }} as known on households.record = known.customer_id
),

-- the head is the adult whom the company has known longest; nobody's sex is asked
final as (
    select
        household_id,
        customer_id,
        last_name,
        postcode,
        age_group,
        row_number() over (
            partition by household_id
            order by
                case age_group when 'adult' then 1 when 'unknown' then 2 else 3 end,
                first_seen_at asc nulls last, birth_date asc nulls last, customer_id asc
        ) = 1 as is_head,
        purposes
    from members
)

select * from final
