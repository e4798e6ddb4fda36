-- as sources tell whose notice allows profiling: who lives with whom is a conclusion about people
with final as (
    select
        known.customer_id,
        golden.first_name,
        golden.last_name,
        golden.last_key,
        cast(golden.birth_date as date) as birth_date,
        golden.street_key,
        golden.postcode,
        golden.city,
        known.first_seen_at,
        golden.name_purposes,
        golden.address_purposes
    from {{ ref('customer_scopes') }} as known
    inner join {{ ref('scope_values') }} as golden
        on known.customer_id = golden.customer_id and known.scope = golden.scope
    where known.purpose = 'profiling'
)

select * from final
