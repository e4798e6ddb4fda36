with source as (
    select * from {{ source('odoo', 'leads') }}
    where _deleted_at is null
),

countries as (
    select * from {{ source('odoo', 'countries') }}
    where _deleted_at is null
),

-- who is a partner already is told as one
unknown as (
    select
        source.*,
        countries.code as country_code
    from source
    left join countries on source.country_id = countries.id
    where source.partner_id is null and coalesce(source.contact_name, source.email_from, source.phone) is not null
),

renamed as (
    select
        ---------- ids
        'leads' as stream,
        id as record_key,
        ---------- person
        contact_name as full_name,
        ---------- identifiers
        coalesce(email_normalized, email_from) as email,
        phone,
        ---------- address
        city,
        country_code as country,
        ---------- timestamps
        {{ moment('create_date') }} as first_seen_at,
        coalesce({{ moment('write_date') }}, {{ moment('create_date') }}) as observed_at
    from unknown
)

select * from renamed
