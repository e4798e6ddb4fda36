with source as (
    select * from {{ source('marketing', 'ad_clicks') }}
),

renamed as (
    select
        ---------- ids
        'ad_clicks' as stream,
        click_id as record_key,
        ---------- identifiers
        email,
        ---------- timestamps
        {{ moment('clicked_at') }} as observed_at
    from source
)

select * from renamed
