with source as (
    select * from {{ source('contact_centre', 'calls') }}
),

renamed as (
    select
        ---------- ids
        'calls' as stream,
        uniqueid as record_key,
        'calls' as person_stream,
        uniqueid as person_key,
        ---------- event
        case when upper(disposition) = 'ANSWERED' then 'call' else 'missed_call' end as kind,
        'phone' as channel,
        concat_ws(
            '; ',
            lower(disposition),
            'queue ' || nullif(split_part(lastdata, ',', 1), ''),
            'waited ' || (duration - billsec)::string || ' s',
            'talked ' || billsec::string || ' s',
            'language ' || {{ user_field('lang') }},
            'outcome ' || {{ user_field('outcome') }}
        ) as detail,
        ---------- timestamps
        started_at as occurred_at
    from source
)

select * from renamed
