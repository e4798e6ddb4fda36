-- depends_on: {{ ref('changed_records') }}, {{ ref('touched_values') }}
-- only who has a value that is looked at anew can be joined otherwise than before
with asked as (
    select record_id from {{ ref('changed_records') }}

    union

    select record_id from {{ ref('meeting_places') }}
    where {{ only_changed('value_id', 'touched_values', 'value_id', kept='known_edges', otherwise='false') }}
),

rules as (
    select
        rule,
        {{ print_of(['rule']) }} as rule_id
    from (select distinct rule from {{ ref('rule_levels') }}) as named
),

shared as (
    select
        shared.*,
        rules.rule_id
    from {{ ref('shared_evidence') }} as shared
    inner join rules on shared.rule = rules.rule
    where
        {{ only_where_kept('left_id in (select asked.record_id from asked)', 'known_edges') }}
        or {{ only_where_kept('right_id in (select asked.record_id from asked)', 'known_edges') }}
),

joined as (
    select
        left_id as record_id,
        {{ print_of_prints(['right_id', 'value_id', 'strength', 'rule_id']) }} as print
    from shared

    union all

    select
        right_id as record_id,
        {{ print_of_prints(['left_id', 'value_id', 'strength', 'rule_id']) }} as print
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
