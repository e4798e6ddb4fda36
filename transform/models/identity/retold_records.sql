with before as (
    {{ kept({
        'record': 'string', 'is_swapped': 'boolean', 'birth_date': 'date', 'told_birth_date': 'date',
        'tax_code_canonical': 'string', 'tax_code_birth_date': 'date',
    }, 'person_said') }}
),

codes as (
    select distinct
        canonical,
        late_birth_date,
        early_birth_date
    from ({{ codes_of_either_century() }}) as young
),

turning as (
    select
        names.record,
        turns.name_key is not null as is_swapped
    from {{ ref('person_names') }} as names
    left join {{ ref('turning_names') }} as turns on names.turning_key = turns.name_key
    where names.turning_key is not null
),

final as (
    select record from {{ ref('changed_rows') }}

    union

    -- other names made this one a surname
    select before.record
    from before
    inner join turning on before.record = turning.record
    where before.is_swapped <> turning.is_swapped

    union

    -- other records made this day a placeholder, or it has come
    select before.record
    from before
    left join {{ ref('placeholder_dates') }} as placeholders on before.told_birth_date = placeholders.birth_date
    where
        before.birth_date
        is distinct from {{ birth_date_that_counts('before.told_birth_date', 'placeholders.birth_date') }}

    union

    -- other records made somebody who has this code older than a hundred, or nobody
    select before.record
    from before
    inner join codes on before.tax_code_canonical = codes.canonical
    left join {{ ref('centenarians') }} as centenarians on codes.canonical = centenarians.canonical
    where
        before.tax_code_birth_date
        <> {{ born_in_either_century('before.told_birth_date', 'codes', 'centenarians.canonical') }}

    union

    -- a run of an earlier day comes after one of a later
    select record from before
    where tax_code_birth_date > {{ today() }}
)

select * from final
