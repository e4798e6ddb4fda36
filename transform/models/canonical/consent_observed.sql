{#-
    Of several answers under one key the latest: a refusal without a date is as late as can be, a consent that is dated in
    the future has not been given yet; of two of one moment the refusal.
-#}
with every_row as (
    {{ union_shape('consent_observed') }}
),

final as (
    {{ latest_only(
        'every_row',
        "case
            when lower(trim(state)) not in ('', 'granted', 'pending', 'expired')
                then coalesce(observed_at, cast('9999-12-31' as timestamptz))
            when cast(observed_at as date) <= " ~ today() ~ " then observed_at
        end",
        ["case when state = 'granted' then 1 else 0 end", 'state', 'person_key', 'legal_basis', 'notice_version'],
        also=['purpose', 'channel']
    ) }}
)

select * from final
