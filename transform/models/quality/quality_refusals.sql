with refused as (
    select * from {{ ref('stg_snello__quarantine') }}
),

final as (
    select
        case when reason like 'its key is that of %' then 'key_refused' else 'row_refused' end as rule,
        source,
        stream,
        id as record_key,
        1 as findings
    from refused
)

select * from final
