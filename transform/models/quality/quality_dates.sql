with dated as (
    select
        case
            when birth_date > {{ today() }} then 'birth_in_future'
            when birth_date < cast('1900-01-01' as date) then 'birth_too_long_ago'
        end as rule,
        source,
        stream,
        record_key
    from {{ ref('person_observed') }}

    union all

    select
        case when cast(observed_at as date) > {{ today() }} then 'record_in_future' end as rule,
        source,
        stream,
        record_key
    from {{ ref('person_observed') }}

    union all

    select
        case when cast(observed_at as date) > {{ today() }} then 'consent_in_future' end as rule,
        source,
        stream,
        record_key
    from {{ ref('consent_observed') }}

    union all

    select
        case when cast(ordered_at as date) > {{ today() }} then 'order_in_future' end as rule,
        source,
        stream,
        record_key
    from {{ ref('order_observed') }}

    union all

    select
        case when cast(occurred_at as date) > {{ today() }} then 'event_in_future' end as rule,
        source,
        stream,
        record_key
    from {{ ref('interaction_observed') }}

    union all

    select
        case when cast(moved_at as date) > {{ today() }} then 'event_in_future' end as rule,
        source,
        stream,
        record_key
    from {{ ref('card_movement_observed') }}

    union all

    select
        case when cast(reviewed_at as date) > {{ today() }} then 'event_in_future' end as rule,
        source,
        stream,
        record_key
    from {{ ref('review_observed') }}
),

final as (
    select
        rule,
        source,
        stream,
        record_key,
        1 as findings
    from dated
    where rule is not null
)

select * from final
