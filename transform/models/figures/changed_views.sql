with present as (
    select * from {{ ref('view_prints') }}
),

before as (
    {{ kept({'customer_id': 'string', 'view_print': 'hugeint'}, 'golden_prints') }}
),

-- other values, or other figures beside the same values
final as (
    select customer_id from {{ ref('changed_customers') }}

    union

    select coalesce(present.customer_id, before.customer_id) as customer_id
    from present
    full outer join before on present.customer_id = before.customer_id
    where present.print is distinct from before.view_print
)

select * from final
