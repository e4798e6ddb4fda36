with retold as (
    select record from {{ ref('reweighed_records') }}
),

before as (
    {{ kept({'record': 'string', 'kind': 'string', 'value': 'string'}, 'person_contacts') }}
),

last_run as (
    {{ kept({'day': 'date'}, 'identity_prints') }}
),

mobiles as (
    select
        identifiers.record,
        identifiers.value
    from {{ ref('record_identifiers') }} as identifiers
    left join {{ ref('blocked_identifiers') }} as blocked
        on identifiers.kind = blocked.kind and identifiers.value = blocked.value
    where identifiers.share = 'mobile' and blocked.value is null
),

-- mobiles that a record has whose rows changed, or had before; where all changed there is nobody to add
moved as (
    select value from mobiles
    where {{ only_where_kept('record in (select retold.record from retold)', 'person_contacts', otherwise='false') }}

    union

    select value from before
    where kind in ('own_mobile', 'lent_mobile') and record in (select retold.record from retold)
),

final as (
    select record from retold

    union

    -- whether a mobile is somebody's own hangs on all who have it
    select record from mobiles
    where value in (select moved.value from moved)

    union

    -- somebody whose code alone said so became a hundred; a run of an earlier day may come after one of a later
    select persons.record
    from {{ ref('person_records') }} as persons
    cross join last_run
    where
        {{ years_after('persons.tax_code_birth_date', 100) }} > least(last_run.day, {{ today() }})
        and {{ years_after('persons.tax_code_birth_date', 100) }} <= greatest(last_run.day, {{ today() }})
)

select * from final
