-- depends_on: {{ ref('changed_records') }}
with before as (
    {{ kept({'left_id': 'bigint', 'right_id': 'bigint', 'value_id': 'bigint'}, 'shared_evidence') }}
),

-- values that a changed record has now, or by which it was joined before
final as (
    select value_id from {{ ref('meeting_places') }}
    where {{ only_changed('record_id', 'changed_records', 'record_id', kept='shared_evidence') }}

    union

    select value_id from before
    where
        {{ only_changed('left_id', 'changed_records', 'record_id', kept='shared_evidence') }}
        or {{ only_changed('right_id', 'changed_records', 'record_id', kept='shared_evidence') }}
)

select * from final
