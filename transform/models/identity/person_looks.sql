{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_records('reweighed_records') }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('reweighed_records') }}
with persons as (
    select
        record,
        first_key,
        last_key,
        coalesce(tax_code_birth_date, birth_date) as birth_date,
        birth_date as stated_birth_date,
        tax_code_canonical as tax_code,
        street_key,
        postcode,
        cast(observed_at as date) as seen_on
    from {{ ref('person_records') }}
    where
        first_key is not null and last_key is not null
        and {{ only_changed('record', 'reweighed_records') }}
),

final as (
    select
        record,
        first_key,
        last_key,
        birth_date,
        stated_birth_date,
        seen_on,
        {{ print_of(['record']) }} as record_id,
        {{ print_of(['first_key', 'last_key']) }} as name_id,
        case when tax_code is not null then {{ print_of(['tax_code']) }} end as tax_code_id,
        case when street_key || postcode is not null then {{ print_of(['street_key', 'postcode']) }} end as home_id
    from persons
)

select * from final
