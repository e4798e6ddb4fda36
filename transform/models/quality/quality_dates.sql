with dated as (
    {{ dated_ahead('birth_in_future', 'person_observed', 'birth_date') }}

    union all

    select
        'birth_too_long_ago' as rule,
        source,
        stream,
        record_key
    from {{ ref('person_observed') }}
    where birth_date < cast('1900-01-01' as date)

    union all

    {{ dated_ahead('record_in_future', 'person_observed', 'observed_at') }}

    union all

    {{ dated_ahead('consent_in_future', 'consent_observed', 'observed_at') }}

    union all

    {{ dated_ahead('order_in_future', 'order_observed', 'ordered_at') }}

    union all

    {{ dated_ahead('event_in_future', 'interaction_observed', 'occurred_at') }}

    union all

    {{ dated_ahead('event_in_future', 'card_movement_observed', 'moved_at') }}

    union all

    {{ dated_ahead('event_in_future', 'review_observed', 'reviewed_at') }}
),

final as (
    select
        rule,
        source,
        stream,
        record_key,
        1 as findings
    from dated
)

select * from final
