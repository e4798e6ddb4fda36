with pairs as (
    select * from {{ ref('open_pairs') }}
    where is_strongest
),

persons as (
    select
        *,
        coalesce(tax_code_birth_date, birth_date) as birthday,
        coalesce(tax_code_sex, sex) as gender
    from {{ ref('person_records') }}
    where
        record in (select pairs.left_record from pairs)
        or record in (select pairs.right_record from pairs)
),

sides as (
    select
        pairs.left_record,
        pairs.right_record,
        lefts.first_key as left_first,
        rights.first_key as right_first,
        lefts.last_key as left_last,
        rights.last_key as right_last,
        lefts.birthday as left_birth,
        rights.birthday as right_birth,
        lefts.birth_date as left_stated,
        rights.birth_date as right_stated,
        lefts.tax_code_canonical as left_tax_code,
        rights.tax_code_canonical as right_tax_code,
        lefts.gender <> rights.gender as sexes_differ,
        lefts.street_key as left_street,
        rights.street_key as right_street,
        lefts.postcode as left_postcode,
        rights.postcode as right_postcode,
        true as is_loose
    from pairs
    inner join persons as lefts on pairs.left_record = lefts.record
    inner join persons as rights on pairs.right_record = rights.record
),

levels as (
    select
        *,
        {{ name_level() }} as names,
        {{ birth_level() }} as births,
        {{ tax_level() }} as taxes
    from sides
),

-- a join by either of two columns would compare every pair with every identifier
sided as (
    select
        left_record,
        right_record,
        left_record as record
    from pairs

    union all

    select
        left_record,
        right_record,
        right_record as record
    from pairs
),

kinds as (
    select
        sided.left_record,
        sided.right_record,
        mine.kind,
        count(distinct mine.record) as records,
        count(distinct mine.value) as distinct_values,
        count(*) as said
    from sided
    inner join {{ ref('usable_identifiers') }} as mine on sided.record = mine.record
    where mine.kind <> 'tax_code'
    group by sided.left_record, sided.right_record, mine.kind
),

facts as (
    select
        left_record,
        right_record,
        1 as place,
        case names when 4 then 'name' when 3 then 'like names' else 'given name' end as fact,
        case names when 1 then 'not known' when 0 then 'differ' else 'agree' end as verdict
    from levels

    union all

    select
        left_record,
        right_record,
        2 as place,
        'surname' as fact,
        'differ' as verdict
    from levels
    where names = 2

    union all

    select
        left_record,
        right_record,
        3 as place,
        case births when 2 then 'birth date but for a slip' else 'birth date' end as fact,
        case births when 1 then 'not known' when 0 then 'differ' else 'agree' end as verdict
    from levels

    union all

    select
        left_record,
        right_record,
        4 as place,
        'tax code' as fact,
        case taxes when 2 then 'agree' when 0 then 'differ' else 'not known' end as verdict
    from levels

    union all

    select
        left_record,
        right_record,
        5 as place,
        'sex' as fact,
        'differ' as verdict
    from levels
    where sexes_differ

    union all

    select
        left_record,
        right_record,
        6 as place,
        case
            when left_street = right_street or left_postcode <> right_postcode then 'home'
            when {{ slips('left_street', 'right_street') }} <= 2 then 'home but for a slip'
            else 'home'
        end as fact,
        case
            when left_street is null or right_street is null then 'not known'
            when left_postcode <> right_postcode then 'differ'
            when {{ slips('left_street', 'right_street') }} <= 2 then 'agree'
            else 'differ'
        end as verdict
    from levels

    union all

    select
        left_record,
        right_record,
        7 as place,
        case kind when 'email' then 'e-mail' when 'phone' then 'telephone' else replace(kind, '_', ' ') end as fact,
        case when records < 2 then 'not known' when distinct_values < said then 'agree' else 'differ' end as verdict
    from kinds
),

told as (
    select
        left_record,
        right_record,
        verdict,
        string_agg(fact, ', ' order by place, fact) as facts
    from facts
    group by left_record, right_record, verdict
),

final as (
    select
        left_record,
        right_record,
        string_agg(verdict || ': ' || facts, '; ' order by verdict = 'not known', verdict) as evidence
    from told
    group by left_record, right_record
)

select * from final
