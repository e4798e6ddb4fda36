with measurements as (
    select * from {{ ref('stg_ledger__measurements') }}
),

final as (
    select
        sync,
        run_id,
        sent,
        accepted,
        matched,
        size,
        held,
        forecast,
        max(measured_at) as measured_at
    from measurements
    group by sync, run_id, sent, accepted, matched, size, held, forecast
)

select * from final
