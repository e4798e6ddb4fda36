with said as (
    select
        {{ record() }} as record,
        {{ print_of_prints([
            print_of_texts([
                'first_name', 'last_name', 'full_name', 'sex', 'tax_code', 'email', 'mobile', 'phone', 'street',
                'postcode', 'city', 'province', 'country', 'language',
            ]),
            'birth_date', 'first_seen_at', 'observed_at',
        ]) }} as print
    from {{ ref('person_observed') }}

    union all

    select
        {{ record() }} as record,
        {{ print_of_prints([print_of_texts(['email', 'phone', 'handle']), 'observed_at']) }} as print
    from {{ ref('contact_observed') }}

    union all

    select
        {{ record() }} as record,
        {{ print_of_texts(['kind', 'value']) }} as print
    from {{ ref('identifier_observed') }}
),

gathered as (
    select
        record,
        sum(print) as print
    from said
    group by record
),

final as (
    select
        record,
        {{ print_of(['record']) }} as record_id,
        print
    from gathered
)

select * from final
