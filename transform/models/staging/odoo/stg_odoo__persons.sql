with source as (
    select * from {{ source('odoo', 'partners') }}
    where _deleted_at is null
),

countries as (
    select * from {{ source('odoo', 'countries') }}
    where _deleted_at is null
),

states as (
    select * from {{ source('odoo', 'country_states') }}
    where _deleted_at is null
),

-- organisations are no persons, and further addresses belong to a partner that is told by itself
people as (
    select
        source.*,
        countries.code as country_code,
        states.code as state_code
    from source
    left join countries on source.country_id = countries.id
    left join states on source.state_id = states.id
    where not coalesce(source.is_company, false) and source.type = 'contact'
),

renamed as (
    select
        ---------- ids
        'partners' as stream,
        id as record_key,
        ---------- person
        name as full_name,
        ---------- identifiers
        coalesce(email_normalized, email) as email,
        mobile,
        phone,
        ---------- address
        street,
        zip as postcode,
        city,
        state_code as province,
        country_code as country,
        split_part(lang, '_', 1) as language,
        ---------- timestamps
        {{ moment('create_date') }} as first_seen_at,
        coalesce({{ moment('write_date') }}, {{ moment('create_date') }}) as observed_at
    from people
)

select * from renamed
