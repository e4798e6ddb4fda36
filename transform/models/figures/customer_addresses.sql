-- as sources tell whose notice allows profiling: who lives with whom is a conclusion about people
with winners as (
    select
        customer_id,
        {{ best_values(['last_name', 'street', 'postcode', 'city']) }}
    from {{ ref('customer_values') }}
    where {{ permits('purposes', 'profiling') }} and attribute in ('last_name', 'street', 'postcode', 'city')
    group by customer_id
),

final as (
    select
        customer_id,
        last_name,
        fold_name(last_name) as last_key,
        street_key(street) as street_key,
        postcode,
        city
    from winners
)

select * from final
