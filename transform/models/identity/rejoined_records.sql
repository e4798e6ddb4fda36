with standing as (
    {{ kept({'left_record': 'string', 'right_record': 'string', 'rule': 'string'}, 'person_edges') }}
),

-- what a person decides is told anew for all of whom it is, or was
decided as (
    select
        left_record,
        right_record
    from {{ ref('decisions') }}
    where verb = 'link'

    union

    select
        left_record,
        right_record
    from standing
    where rule = 'decision'
),

final as (
    select record from {{ ref('rescored_records') }}

    union

    select record from {{ ref('crossed_records') }}

    union

    select left_record as record from decided

    union

    select right_record as record from decided
)

select * from final
