with said as (
    select * from {{ ref('stg_snello__decisions') }}
    where verb <> 'skip'
),

present as (
    select record from {{ ref('person_marks') }}
),

-- a revoke is a word as well: it says that nothing is decided any more
latest as (
    select *
    from said
    qualify row_number() over (
        partition by left_record, right_record order by decided_at desc, decision desc
    ) = 1
),

final as (
    select
        latest.left_record,
        latest.right_record,
        latest.verb,
        latest.decision,
        latest.author,
        latest.reason,
        latest.decided_at
    from latest
    inner join present as lefts on latest.left_record = lefts.record
    inner join present as rights on latest.right_record = rights.record
    where latest.verb in ('link', 'apart')
)

select * from final
