{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_records('changed_rows') }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('changed_rows') }}
with observed as (
    select * from {{ ref('observed_identifiers') }}
    where {{ only_changed('record', 'changed_rows') }}
),

normalised as (
    select
        observed.record,
        observed.source,
        observed.kind,
        observed.place,
        case observed.kind
            when 'email' then emails.email
            when 'phone' then phones.phone
            when 'tax_code' then tax_codes.canonical
            when 'card' then normalise_card(observed.raw)
            else lower(null_like(observed.raw))
        end as value,
        coalesce(emails.is_role, false) as is_role_address,
        -- a landline is a home, a mobile a person
        case
            when observed.kind <> 'phone' then observed.kind
            when phones.phone_kind = 'mobile' then 'mobile'
            else 'landline'
        end as share
    from observed
    left join {{ ref('email_values') }} as emails on observed.kind = 'email' and observed.raw = emails.raw
    left join {{ ref('phone_values') }} as phones
        on observed.kind = 'phone' and observed.raw = phones.raw and observed.country = phones.country
    left join {{ ref('tax_code_values') }} as tax_codes
        on observed.kind = 'tax_code' and observed.raw = tax_codes.raw
),

final as (
    select
        record,
        kind,
        value,
        min(share) as share,
        min(source) as source,
        min(place) as place,
        bool_or(is_role_address) as is_role_address
    from normalised
    where value is not null
    group by record, kind, value
)

select * from final
