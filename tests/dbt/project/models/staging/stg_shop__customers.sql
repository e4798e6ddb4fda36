select
    id as customer_key,
    normalise_email(email) as email,
    loyalty_level
from {{ source('shop', 'customers') }}
