with opportunities as (
    select * from {{ source('suitecrm', 'opportunities') }}
    where _deleted_at is null
),

-- an opportunity names an account alone; whose it is, the lead says that became it
leads as (
    select * from {{ source('suitecrm', 'leads') }}
    where _deleted_at is null and opportunity_id is not null
),

first_leads as (
    select
        opportunity_id,
        id,
        row_number() over (partition by opportunity_id order by date_entered, id) as place
    from leads
),

renamed as (
    select
        ---------- ids
        'opportunities' as stream,
        opportunities.id as record_key,
        'leads' as person_stream,
        first_leads.id as person_key,
        ---------- event
        'opportunity' as kind,
        'sales' as channel,
        concat_ws('; ', nullif(opportunities.sales_stage, ''), opportunities.probability::string || ' %') as detail,
        ---------- timestamps
        {{ moment('opportunities.date_entered') }} as occurred_at
    from opportunities
    inner join first_leads on opportunities.id = first_leads.opportunity_id and first_leads.place = 1
)

select * from renamed
