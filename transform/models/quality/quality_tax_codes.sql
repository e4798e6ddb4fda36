with persons as (
    select
        source,
        stream,
        record_key,
        first_name,
        last_name,
        birth_date,
        sex,
        tax_code,
        tax_code_canonical,
        tax_code_birth_date,
        tax_code_sex
    from {{ ref('person_records') }}
    where tax_code is not null
),

-- the letters of each name once, so that only codes that look wrong are judged whole
surnames as (
    select
        last_name,
        substr(tax_code_letters('Ada', last_name), 1, 3) as letters
    from (select distinct last_name from persons) as names
),

given_names as (
    select
        first_name,
        substr(tax_code_letters(first_name, 'Rossi'), 4, 3) as letters
    from (select distinct first_name from persons) as names
),

doubted as (
    select persons.*
    from persons
    left join surnames on persons.last_name = surnames.last_name
    left join given_names on persons.first_name = given_names.first_name
    where
        persons.birth_date <> persons.tax_code_birth_date
        or persons.sex <> persons.tax_code_sex
        or surnames.letters <> substr(persons.tax_code_canonical, 1, 3)
        or given_names.letters <> substr(persons.tax_code_canonical, 4, 3)
),

judged as (
    select
        source,
        stream,
        record_key,
        tax_code_disagrees(tax_code, first_name, last_name, cast(birth_date as string), sex) as disagreement
    from doubted
),

parts as (
    select
        'tax_code_other_surname' as rule,
        'surname' as part
    union all
    select
        'tax_code_other_given_name' as rule,
        'given name' as part
    union all
    select
        'tax_code_other_birth_date' as rule,
        'birth date' as part
    union all
    select
        'tax_code_other_century' as rule,
        'century of birth' as part
    union all
    select
        'tax_code_other_sex' as rule,
        'sex' as part
),

final as (
    select
        parts.rule,
        judged.source,
        judged.stream,
        judged.record_key,
        1 as findings
    from judged
    inner join parts on judged.disagreement like '%' || parts.part || '%'
)

select * from final
