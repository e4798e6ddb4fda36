with source as (
    select * from {{ source('marketing', 'ad_clicks') }}
),

renamed as (
    select
        ---------- ids
        'ad_clicks' as stream,
        click_id as record_key,
        'ad_clicks' as person_stream,
        click_id as person_key,
        ---------- event
        'ad_click' as kind,
        'ads' as channel,
        concat_ws('; ', campaign, network, 'cost ' || cost::string || ' ' || currency) as detail,
        ---------- timestamps
        {{ moment('clicked_at') }} as occurred_at
    from source
)

select * from renamed
