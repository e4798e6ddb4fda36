-- only who has a value that is looked at anew can be joined otherwise than before
with asked as (
    select {{ print_of(['record']) }} as record_id
    from {{ ref('changed_records') }}

    union

    select record_id from {{ ref('meeting_places') }}
    where value_id in (select touched.value_id from {{ ref('touched_values') }} as touched)
),

shared as (
    select * from {{ ref('shared_evidence') }}
    where
        left_id in (select asked.record_id from asked)
        or right_id in (select asked.record_id from asked)
),

joined as (
    select
        left_id as record_id,
        {{ print_of_prints(['right_id', 'value_id', 'strength', print_of(['rule'])]) }} as print
    from shared

    union all

    select
        right_id as record_id,
        {{ print_of_prints(['left_id', 'value_id', 'strength', print_of(['rule'])]) }} as print
    from shared
),

final as (
    select
        asked.record_id,
        bit_xor(joined.print) as evidence
    from asked
    left join joined on asked.record_id = joined.record_id
    group by asked.record_id
)

select * from final
