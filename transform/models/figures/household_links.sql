with addresses as (
    select * from {{ ref('customer_addresses') }}
),

homes as (
    select
        customer_id,
        last_key,
        street_key || '|' || postcode as home,
        {{ shared_purposes(['name_purposes', 'address_purposes']) }} as purposes
    from addresses
    where street_key is not null and postcode is not null
),

crowds as (
    select
        home,
        count(*) as residents
    from homes
    group by home
),

families as (
    select
        home,
        last_key,
        count(*) as bearers,
        min(customer_id) as first_of_them
    from homes
    where last_key is not null
    group by home, last_key
),

bearers as (
    select
        last_key,
        sum(bearers) as bearers
    from families
    group by last_key
),

everybody as (
    select count(*) as people from homes
),

-- one surname at one street number; among many flats only where chance would not bring two of them together
related as (
    select
        families.home,
        families.last_key,
        families.first_of_them
    from families
    inner join crowds on families.home = crowds.home
    inner join bearers on families.last_key = bearers.last_key
    cross join everybody
    where
        families.bearers between 2 and {{ var('household_members') }}
        and (
            crowds.residents <= {{ var('building_residents') }}
            or crowds.residents * (bearers.bearers - families.bearers)
            < {{ var('chance_neighbours') }} * (everybody.people - crowds.residents)
        )
),

same_name as (
    select
        homes.customer_id,
        coalesce(related.first_of_them, homes.customer_id) as other_id,
        case when related.first_of_them is null then 'home' else 'home and surname' end as evidence,
        homes.purposes
    from homes
    left join related on homes.home = related.home and homes.last_key = related.last_key
),

reached as (
    select
        said.customer_id,
        said.part as kind,
        said.value,
        {{ common_purposes('permissions.purposes') }} as purposes
    from {{ ref('value_witnesses') }} as said
    inner join {{ ref('source_permissions') }} as permissions on said.source = permissions.source
    where said.part in ('email', 'phone') and {{ permits('permissions.purposes', 'profiling') }}
    group by said.customer_id, said.part, said.value
),

-- a line of a whole office makes no household
lines as (
    select
        kind,
        value
    from reached
    group by kind, value
    having count(*) between 2 and {{ var('household_line_people') }}
),

private as (
    select
        reached.*,
        addresses.last_key,
        homes.home,
        coalesce(homes.purposes, {{ every_purpose() }}) as home_purposes,
        coalesce(crowds.residents, 0) > {{ var('building_residents') }} as is_crowd
    from reached
    inner join lines on reached.kind = lines.kind and reached.value = lines.value
    left join addresses on reached.customer_id = addresses.customer_id
    left join homes on reached.customer_id = homes.customer_id
    left join crowds on homes.home = crowds.home
),

met as (
    select
        lefts.customer_id,
        rights.customer_id as other_id,
        lefts.kind,
        lefts.home,
        rights.home as other_home,
        coalesce(lefts.last_key = rights.last_key, false) as is_one_name,
        lefts.is_crowd,
        {{ shared_purposes(['lefts.purposes', 'rights.purposes', 'lefts.home_purposes', 'rights.home_purposes']) }}
            as purposes
    from private as lefts
    inner join private as rights
        on
            lefts.kind = rights.kind
            and lefts.value = rights.value
            and lefts.customer_id <> rights.customer_id
),

-- who has no known home lives where the only home is of those who share a mailbox or line with them
anchored as (
    select
        customer_id,
        coalesce(min(home), min(other_home)) as anchor,
        min(home) is null and count(distinct other_home) > 1 as is_torn
    from met
    group by customer_id
),

-- a mailbox is enough; a line needs a shared home that is no crowd, or one surname
shared as (
    select
        met.customer_id,
        met.other_id,
        'shared ' || met.kind as evidence,
        met.purposes
    from met
    inner join anchored as lefts on met.customer_id = lefts.customer_id
    inner join anchored as rights on met.other_id = rights.customer_id
    where
        met.customer_id > met.other_id
        and not lefts.is_torn
        and not rights.is_torn
        and coalesce(lefts.anchor, '') = coalesce(rights.anchor, '')
        and (
            met.is_one_name
            or met.kind = 'email'
            or (met.home = met.other_home and not met.is_crowd)
        )
),

gathered as (
    select * from same_name
    union all
    select * from shared
),

final as (
    select
        customer_id,
        other_id,
        evidence,
        {{ common_purposes('purposes') }} as purposes
    from gathered
    group by customer_id, other_id, evidence
)

select * from final
