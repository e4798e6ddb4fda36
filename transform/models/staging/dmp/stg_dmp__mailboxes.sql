with told as (
    {{ staged_mailboxes('dmp') }}
),

final as (
    select
        {{ sha256_of('lower(trim(email))') }} as email_sha256,
        min(lower(trim(email))) as email
    from told
    where trim(email) <> ''
    group by lower(trim(email))
)

select * from final
