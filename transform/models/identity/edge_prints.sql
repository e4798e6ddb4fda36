with edges as (
    select * from {{ ref('rule_edges') }}
),

joined as (
    select
        left_record as record,
        {{ print_of(['right_record', 'rule', 'strength']) }} as print
    from edges

    union all

    select
        right_record as record,
        {{ print_of(['left_record', 'rule', 'strength']) }} as print
    from edges
),

final as (
    select
        record,
        bit_xor(print) as evidence
    from joined
    group by record
)

select * from final
