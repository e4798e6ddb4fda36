with both_modules as (
    select
        'contacts' as stream,
        id as record_key,
        first_name,
        last_name,
        birthdate,
        email1,
        email_opt_out,
        phone_mobile,
        phone_home,
        do_not_call,
        primary_address_street,
        primary_address_postalcode,
        primary_address_city,
        primary_address_state,
        primary_address_country,
        lawful_basis,
        date_reviewed,
        date_entered,
        date_modified,
        _extra,
        _sdc_extracted_at
    from {{ source('suitecrm', 'contacts') }}
    where _deleted_at is null
    union all
    select
        'leads' as stream,
        id as record_key,
        first_name,
        last_name,
        birthdate,
        email1,
        email_opt_out,
        phone_mobile,
        phone_home,
        do_not_call,
        primary_address_street,
        primary_address_postalcode,
        primary_address_city,
        primary_address_state,
        primary_address_country,
        lawful_basis,
        date_reviewed,
        date_entered,
        date_modified,
        _extra,
        _sdc_extracted_at
    from {{ source('suitecrm', 'leads') }}
    where _deleted_at is null
),

renamed as (
    select
        ---------- ids
        stream,
        record_key,
        ---------- person
        first_name,
        last_name,
        birthdate,
        ---------- identifiers
        email1,
        phone_mobile,
        phone_home,
        -- fields of our own, as far as the tap is told to read them
        _extra as extra,
        ---------- address
        primary_address_street,
        primary_address_postalcode,
        primary_address_city,
        primary_address_state,
        primary_address_country,
        ---------- answers
        coalesce(email_opt_out, false) as is_opted_out,
        coalesce(do_not_call, false) as is_not_to_call,
        -- codes between ^, joined by commas
        '^' || coalesce(lawful_basis, '') || '^' as bases,
        date_reviewed,
        ---------- timestamps
        date_entered,
        coalesce({{ moment('date_modified') }}, _sdc_extracted_at) as changed_at
    from both_modules
)

select * from renamed
