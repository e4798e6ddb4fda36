with evidence as (
    select * from {{ ref('usable_evidence') }}
),

final as (
    select
        {{ print_of(['record']) }} as record_id,
        share,
        {{ print_of(['share', 'value']) }} as value_id
    from evidence
)

select * from final
