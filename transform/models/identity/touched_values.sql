with changed as (
    select {{ print_of(['record']) }} as record_id
    from {{ ref('changed_records') }}
),

before as (
    {{ kept({'left_id': 'bigint', 'right_id': 'bigint', 'value_id': 'bigint'}, 'shared_evidence') }}
),

-- values that a changed record has now, or by which it was joined before
final as (
    select value_id from {{ ref('meeting_places') }}
    where record_id in (select changed.record_id from changed)

    union

    select value_id from before
    where
        left_id in (select changed.record_id from changed)
        or right_id in (select changed.record_id from changed)
)

select * from final
