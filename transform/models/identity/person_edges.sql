with pairs as (
    select * from {{ ref('candidate_pairs') }}
),

persons as (
    select * from {{ ref('person_records') }}
),

distinct_pairs as (
    select
        left_record,
        right_record,
        bool_or(identifier_kind = 'address') as is_one_home
    from pairs
    group by left_record, right_record
),

sides as (
    select
        distinct_pairs.left_record,
        distinct_pairs.right_record,
        distinct_pairs.is_one_home,
        lefts.first_key as left_first,
        rights.first_key as right_first,
        lefts.last_key as left_last,
        rights.last_key as right_last,
        coalesce(lefts.tax_code_birth_date, lefts.birth_date) as left_birth,
        coalesce(rights.tax_code_birth_date, rights.birth_date) as right_birth,
        lefts.tax_code_canonical as left_tax_code,
        rights.tax_code_canonical as right_tax_code
    from distinct_pairs
    inner join persons as lefts on distinct_pairs.left_record = lefts.record
    inner join persons as rights on distinct_pairs.right_record = rights.record
),

levels as (
    select
        left_record,
        right_record,
        is_one_home,
        {{ name_level() }} as name_level,
        {{ birth_level() }} as birth_level,
        {{ tax_level() }} as tax_level
    from sides
),

final as (
    select
        pairs.left_record,
        pairs.right_record,
        rules.rule,
        pairs.identifier_kind,
        rules.strength
    from pairs
    inner join levels on pairs.left_record = levels.left_record and pairs.right_record = levels.right_record
    inner join {{ ref('identity_rules') }} as rules on pairs.identifier_kind = rules.identifier_kind
    where
        levels.name_level >= rules.min_name
        and levels.birth_level >= rules.min_birth
        and levels.tax_level >= rules.min_tax
        and (levels.is_one_home or not rules.needs_home)
)

select * from final
