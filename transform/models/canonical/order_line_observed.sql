with every_row as (
    {{ union_shape('order_line_observed') }}
),

final as (
    {{ latest_only('every_row', 'line_no', ['product_key', 'sku', 'quantity', 'amount'], also=['line_no']) }}
)

select * from final
