with decided as (
    select
        left_record,
        right_record,
        verb
    from {{ ref('stg_snello__decisions') }}
    qualify row_number() over (
        partition by left_record, right_record order by decided_at desc, decision desc
    ) = 1
),

pairs as (
    select
        left_record,
        right_record,
        probability,
        'likely, not certain' as reason,
        evidence
    from {{ ref('likelihood_pairs') }}
    where probability < {{ var('likelihood_accept') }}

    union all

    select
        left_record,
        right_record,
        strength as probability,
        reason,
        rule as evidence
    from {{ ref('clustering') }}
    where reason = 'could be either of two people'
),

clusters as (
    select
        record,
        cluster
    from {{ ref('record_clusters') }}
),

-- one question a pair; who is one customer by now is not asked about
asked as (
    select
        pairs.left_record,
        pairs.right_record,
        max(pairs.probability) as probability,
        min(pairs.reason) as reason,
        string_agg(distinct pairs.evidence, ', ' order by pairs.evidence) as evidence
    from pairs
    inner join clusters as lefts on pairs.left_record = lefts.record
    inner join clusters as rights on pairs.right_record = rights.record
    where lefts.cluster <> rights.cluster
    group by pairs.left_record, pairs.right_record
),

final as (
    select
        asked.left_record,
        asked.right_record,
        asked.probability,
        asked.reason,
        asked.evidence
    from asked
    left join decided on asked.left_record = decided.left_record and asked.right_record = decided.right_record
    -- a decision that was revoked or put off is a question again
    where decided.left_record is null or decided.verb in ('revoke', 'skip')
)

select * from final
