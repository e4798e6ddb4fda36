with source as (
    select
        *,
        lpad(moved_at_time, 4, '0') as hhmm
    from {{ source('loyalty', 'movements') }}
),

renamed as (
    select
        ---------- ids
        'movements' as stream,
        movement_id as record_key,
        card_no,
        ---------- movement
        shop,
        case kind when 'R' then 'redemption' else 'accrual' end as kind,
        case kind when 'R' then -abs(points) else points end as points,
        (amount_cents / 100.0)::decimal(18, 2) as amount,
        ---------- timestamps
        coalesce(
            try_cast(moved_on::string || ' ' || substr(hhmm, 1, 2) || ':' || substr(hhmm, 3, 2) || ':00' as timestamp),
            cast(moved_on as timestamp)
        ) as moved_at
    from source
)

select * from renamed
