with final as (
    {{ customer_view() }}
    where known.purpose <> 'everything'
)

select * from final
