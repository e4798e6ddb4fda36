with source as (
    select * from {{ source('odoo', 'leads') }}
    where _deleted_at is null
),

buyers as (
    select * from {{ ref('stg_odoo__buyers') }}
),

joined as (
    select
        source.*,
        buyers.person_key
    from source
    left join buyers on source.partner_id = buyers.partner_key
),

renamed as (
    select
        ---------- ids
        'leads' as stream,
        id as record_key,
        case when partner_id is null then 'leads' else 'partners' end as person_stream,
        case when partner_id is null then id else person_key end as person_key,
        ---------- event
        type as kind,
        'crm' as channel,
        concat_ws(
            '; ',
            stage_name,
            coalesce(won_status, case when not active then 'archived' end),
            'expected ' || cast(nullif(expected_revenue, 0) as decimal(18, 2))::string || ' ' || company_currency_name
        ) as detail,
        ---------- timestamps
        {{ moment('create_date') }} as occurred_at
    from joined
)

select * from renamed
