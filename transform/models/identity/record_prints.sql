with persons as (
    select
        record,
        {{ print_of([
            'first_key', 'last_key', 'birth_date', 'sex', 'tax_code_canonical', 'tax_code_birth_date', 'tax_code_sex',
            'street_key', 'postcode', 'city', 'province', 'country', 'cast(observed_at as date)',
        ]) }} as print
    from {{ ref('person_records') }}
),

evidence as (
    select
        record,
        bit_xor({{ print_of(['kind', 'value']) }}) as print
    from {{ ref('usable_evidence') }}
    group by record
),

final as (
    select
        persons.record,
        {{ print_of(['persons.print', 'evidence.print']) }} as content
    from persons
    left join evidence on persons.record = evidence.record
)

select * from final
