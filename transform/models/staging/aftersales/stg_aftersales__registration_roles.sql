with source as (
    select * from {{ source('aftersales', 'registrations') }}
),

roles as (
    select 'owner' as role
    union all
    select 'driver' as role
),

renamed as (
    select
        ---------- ids
        'registrations' as stream,
        source.registration_no as record_key,
        'registrations' as person_stream,
        source.registration_no as person_key,
        ---------- role
        roles.role,
        {{ role_state('source.role', 'roles.role') }} as state,
        concat_ws(' ', source.product, source.serial_no) as holding,
        ---------- timestamps
        coalesce({{ moment('source.updated_at') }}, source._sdc_extracted_at) as observed_at
    from source
    cross join roles
)

select * from renamed
