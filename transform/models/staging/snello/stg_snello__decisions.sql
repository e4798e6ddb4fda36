with source as (
    select * from {{ source('snello', 'decisions') }}
),

renamed as (
    select
        ---------- ids
        decision,
        least(left_record, right_record) as left_record,
        greatest(left_record, right_record) as right_record,
        revokes,
        ---------- what was decided
        verb,
        author,
        reason,
        ---------- timestamps
        {{ moment('decided_at') }} as decided_at
    from source
)

select * from renamed
