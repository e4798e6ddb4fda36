select
    customer_key::varchar as customer_id,
    email
from {{ ref('customers') }}
