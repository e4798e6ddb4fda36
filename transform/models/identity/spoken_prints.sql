{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_records('reweighed_records') }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('reweighed_records') }}
with said as (
    select
        record,
        {{ print_of_prints([
            print_of_texts([
                'first_name', 'last_name', 'first_key', 'last_key', 'sex', 'tax_code', 'language', 'street', 'street_key',
                'postcode', 'city', 'province', 'region', 'country', 'tax_code_sex', 'postcode_city',
                'postcode_province', 'postcode_region',
            ]),
            'is_swapped', 'birth_date', 'tax_code_birth_date',
        ]) }} as print
    from {{ ref('person_records') }}
    where {{ only_changed('record', 'reweighed_records') }}

    union all

    select
        record,
        {{ print_of_prints([print_of_texts(['kind', 'value']), 'place']) }} as print
    from {{ ref('usable_identifiers') }}
    where kind in ('email', 'phone') and {{ only_changed('record', 'reweighed_records') }}
),

final as (
    select
        record,
        sum(print) as print
    from said
    group by record
)

select * from final
