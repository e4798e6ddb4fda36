with purposes as (
    {{ purpose_rows() }}
),

-- what the company knows at all stands beside what each purpose may know
final as (
    select
        permissions.source,
        permissions.source_bit,
        purposes.purpose
    from {{ ref('source_permissions') }} as permissions
    inner join purposes on {{ permits_one('permissions.purposes', 'purposes.purpose') }}

    union all

    select
        source,
        source_bit,
        'everything' as purpose
    from {{ ref('source_permissions') }}
)

select * from final
