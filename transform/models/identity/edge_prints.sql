with shared as (
    select * from {{ ref('shared_evidence') }}
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
        record_id,
        bit_xor(print) as evidence
    from joined
    group by record_id
)

select * from final
