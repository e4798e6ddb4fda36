with made as (
    select report from {{ ref('likelihood_model') }}
),

lines as (
    select {{ json_rows('report') }} as line
    from made
),

final as (
    select
        {{ json_text('line', '$.comparison') }} as comparison,
        {{ json_text('line', '$.level') }} as level,
        {{ cast_to(json_text('line', '$.match'), 'double') }} as match,
        {{ cast_to(json_text('line', '$.relative'), 'double') }} as relative,
        {{ cast_to(json_text('line', '$.stranger'), 'double') }} as stranger,
        {{ cast_to(json_text('line', '$.matches'), 'double') }} as matches,
        {{ json_text('line', '$.said') }} as said
    from lines
)

select * from final
