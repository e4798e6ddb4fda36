{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_records('retold_records') }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('retold_records') }}
with persons as (
    select
        *,
        coalesce(tax_code_birth_date, birth_date)::string as birthday
    from {{ ref('person_said') }}
    where
        first_key is not null and last_key is not null
        and {{ only_changed('record', 'retold_records') }}
),

told as (
    select
        record,
        kind,
        share,
        value,
        is_role_address
    from {{ ref('record_identifiers') }}
    where {{ only_changed('record', 'retold_records') }}

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
),

named as (
    select
        *,
        {{ print_of(['record']) }} as record_id,
        {{ print_of(['value']) }} as value_print
    from told
),

listed as (
    select distinct
        told.kind,
        told.value
    from told
    inner join {{ ref('blocklist') }} as blocklist
        on told.kind = blocklist.kind and {{ fits('told.value', 'blocklist.value') }}
),

-- numbers stand for the texts that many records are compared by
final as (
    select
        named.record,
        named.record_id,
        named.kind,
        named.share,
        named.value,
        {{ print_of_prints(['named.value_print', 'named.share']) }} as value_id,
        {{ print_of_prints(['named.value_print', 'named.kind']) }} as named_id,
        named.is_role_address or listed.value is not null as is_listed
    from named
    left join listed on named.kind = listed.kind and named.value = listed.value
)

select * from final
