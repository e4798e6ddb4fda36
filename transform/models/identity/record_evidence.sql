with persons as (
    select
        *,
        coalesce(tax_code_birth_date, birth_date)::string as birthday
    from {{ ref('person_said') }}
    where first_key is not null and last_key is not null
),

final as (
    select
        record,
        kind,
        share,
        value,
        is_role_address
    from {{ ref('record_identifiers') }}

    union all

    -- the birth date with either half of the name, so that a slip in the other or a new surname still meets
    select
        record,
        'name_birth' as kind,
        'name_birth' as share,
        first_key || '|' || birthday as value,
        false as is_role_address
    from persons
    where birthday is not null

    union all

    select
        record,
        'name_birth' as kind,
        'name_birth' as share,
        last_key || '|' || birthday as value,
        false as is_role_address
    from persons
    where birthday is not null and last_key <> first_key

    union all

    select
        record,
        'address' as kind,
        'address' as share,
        street_key || '|' || postcode as value,
        false as is_role_address
    from persons
    where street_key is not null and postcode is not null
)

select * from final
