-- depends_on: {{ ref('reweighed_records') }}
with persons as (
    select
        record,
        {{ print_of(['record']) }} as record_id,
        {{ print_of_prints([
            print_of_texts([
                'first_key', 'last_key', 'sex', 'tax_code_canonical', 'tax_code_sex', 'street', 'street_key', 'postcode',
                'city', 'province', 'country',
            ]),
            'birth_date', 'tax_code_birth_date', 'cast(observed_at as date)',
        ]) }} as print
    from {{ ref('person_records') }}
    where {{ only_changed('record', 'reweighed_records', kept='known_records') }}
),

evidence as (
    select
        record_id,
        bit_xor(value_id) as print
    from {{ ref('usable_evidence') }}
    where {{ only_changed('record', 'reweighed_records', kept='known_records') }}
    group by record_id
),

final as (
    select
        persons.record,
        persons.record_id,
        {{ print_of_prints(['persons.print', 'evidence.print']) }} as content
    from persons
    left join evidence on persons.record_id = evidence.record_id
)

select * from final
