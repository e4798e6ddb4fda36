with final as (
    select
        customer_id,
        purpose,
        parts,
        records
    from {{ ref('purpose_parts') }}
)

select * from final
