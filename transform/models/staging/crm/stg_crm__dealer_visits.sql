with source as (
    select * from {{ source('crm', 'dealer_visits') }}
),

renamed as (
    select
        ---------- ids
        'dealer_visits' as stream,
        visit_id as record_key,
        'customers' as person_stream,
        customer_no as person_key,
        ---------- event
        case when test_drive then 'test_drive' else 'dealer_visit' end as kind,
        'dealer' as channel,
        concat_ws('; ', dealer_code, reason, model, outcome) as detail,
        ---------- timestamps
        coalesce(visited_at, updated_at) as occurred_at
    from source
)

select * from renamed
