select
    id as order_key,
    total
from {{ source('shop', 'orders') }}
