with source as (
    select * from {{ source('aftersales', 'service_visits') }}
),

renamed as (
    select
        ---------- ids
        'service_visits' as stream,
        visit_no as record_key,
        'registrations' as person_stream,
        registration_no as person_key,
        ---------- event
        'service_visit' as kind,
        'after_sales' as channel,
        concat_ws('; ', kind, 'amount ' || amount::string, 'satisfaction ' || satisfaction::string) as detail,
        ---------- timestamps
        opened_on as occurred_at
    from source
)

select * from renamed
