with persons as (
    select
        record,
        {{ print_of(['record']) }} as record_id,
        {{ print_of([
            'first_key', 'last_key', 'birth_date', 'sex', 'tax_code_canonical', 'tax_code_birth_date', 'tax_code_sex',
            'street', 'street_key', 'postcode', 'city', 'province', 'country', 'cast(observed_at as date)',
        ]) }} as print
    from {{ ref('person_records') }}
),

evidence as (
    select
        record_id,
        bit_xor(value_id) as print
    from {{ ref('evidence_prints') }}
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
