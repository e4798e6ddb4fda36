{# Of two answers of one moment under one key the refusal comes first. #}
with every_row as (
    {{ union_shape('consent_observed') }}
),

final as (
    {{ latest_only(
        'every_row', 'observed_at',
        ["case when state = 'granted' then 1 else 0 end", 'state', 'person_key', 'legal_basis', 'notice_version'],
        also=['purpose', 'channel']
    ) }}
)

select * from final
