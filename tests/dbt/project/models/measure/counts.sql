select count(*) as customers from {{ source('published', 'customers') }}
