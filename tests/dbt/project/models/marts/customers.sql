select
    shop.customer_key,
    shop.email,
    shop.loyalty_level,
    last.customer_key is not null as was_published
from {{ ref('stg_shop__customers') }} as shop
left join {{ source('published', 'customers') }} as last on shop.customer_key = last.customer_key
{% if var('broken') %}
union all
select null, null, null, null
{% endif %}
