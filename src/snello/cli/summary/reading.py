"""The figures of the last run, read from the lake and the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from snello.cli.ledger import Receipts
from snello.cli.status.reading import last_loads, quarantine
from snello.cli.summary.figures import Consent, Count, Delivery, Outcome, People, Phase, Source, Summary, Truth
from snello.cli.tables import Tables, manifest
from snello.lake import Lake
from snello.settings import Settings

_NEEDED = (
    "consent_current",
    "customer_sources",
    "customers",
    "households",
    "identity_cuts",
    "identity_edges",
    "segments",
)
_OWN = ("_loads", "_quarantine")
_HUB = ("ledger", "snello")  # the hub's own receipts and what people decided, read back as sources

_PEOPLE = """
select
    (select count(*) from customer_sources) as records,
    (select count(distinct customer_id) from customer_sources) as customers,
    (select count(*) from households) as households,
    (select count(*) from identity_cuts) as kept_apart
"""
_BY_SOURCE = """
select source, count(*) as records, count(distinct customer_id) as customers from customer_sources group by source
"""
# Every record but the first of its customer is one that was joined, by the strongest rule that touches it. A record
# that holds no name has no edge: it goes to the only customer who owns its contact.
_JOINS = """
with touched as (
    select left_record as record, rule, strength from identity_edges where kept
    union all
    select right_record as record, rule, strength from identity_edges where kept
),

strongest as (
    select record, max_by(rule, (strength, rule)) as rule from touched group by record
),

records as (
    select
        coalesce(strongest.rule, 'contact with one owner') as rule,
        row_number() over (
            partition by customer_id order by strongest.rule is null, source, stream, record_key
        ) as place
    from customer_sources
    left join strongest on source || '/' || stream || '/' || record_key = strongest.record
)

select rule as name, count(*) as rows
from records
where place > 1
group by rule
order by rows desc, name
"""
_SEGMENTS = "select segment as name, count(*) as rows from segments group by segment order by rows desc, name"
_CONSENTS = """
select
    purpose,
    channel,
    count(*) filter (where state = 'yes') as yes,
    count(*) filter (where state <> 'yes') as no,
    (select count(*) from customers) - count(*) as unknown
from consent_current
group by purpose, channel
order by purpose, channel
"""


def read(
    hub: Settings,
    technologies: Mapping[str, str] | None = None,
    truth: Truth | None = None,
    phases: Sequence[Phase] = (),
) -> Summary:
    """The figures of what ``hub`` points at; raises ``ContractError`` when nothing is published.

    - ``technologies``: what each source is, for the reader
    - ``truth``, ``phases``: what only the caller knows of this run
    """
    lake = Lake(hub.lake)
    published = manifest(lake)
    tables = Tables.published(lake, _NEEDED)
    [people] = tables.rows(_PEOPLE)
    sizes = {name: ref.rows for name, ref in published.tables.items()}
    return Summary(
        run_id=published.run_id,
        published_at=published.published_at,
        sources=_sources(lake, tables, technologies or {}),
        refusals=_refusals(lake),
        people=People(**people),
        truth=truth,
        joins=tuple(Count(**row) for row in tables.rows(_JOINS)),
        segments=tuple(Count(**row) for row in tables.rows(_SEGMENTS)),
        consents=tuple(Consent(**row) for row in tables.rows(_CONSENTS)),
        deliveries=_deliveries(Receipts(hub.ledger), published.syncs, sizes),
        phases=tuple(phases),
    )


def _sources(lake: Lake, tables: Tables, technologies: Mapping[str, str]) -> tuple[Source, ...]:
    streams: dict[str, list[str]] = {}
    for (source, stream), uri in lake.raw_tables().items():
        if source not in _HUB and stream not in _OWN:
            streams.setdefault(source, []).append(uri)
    known = {row["source"]: row for row in tables.rows(_BY_SOURCE)}
    loads = {row["source"]: row for row in last_loads(lake)}
    refused: dict[str, int] = {}
    for row in quarantine(lake):
        refused[row["source"]] = refused.get(row["source"], 0) + row["rows"]
    return tuple(
        Source(
            source=source,
            technology=technologies.get(source, ""),
            streams=len(uris),
            rows=sum(tables.value(f"select count(*) from ({lake.scan_sql(uri)})") for uri in uris),
            refused=refused.get(source, 0),
            records=known[source]["records"] if source in known else 0,
            customers=known[source]["customers"] if source in known else 0,
            loaded_at=loads[source]["finished_at"] if source in loads else None,
        )
        for source, uris in sorted(streams.items())
    )


def _refusals(lake: Lake) -> tuple[Count, ...]:
    found = [Count(f"{row['source']} {row['stream']}: {row['reason']}", row["rows"]) for row in quarantine(lake)]
    return tuple(sorted(found, key=lambda count: (-count.rows, count.name)))


def _deliveries(
    receipts: Receipts, syncs: Mapping[str, Mapping[str, Any]], sizes: Mapping[str, int]
) -> tuple[Delivery, ...]:
    runs = {run["sync"]: run for run in receipts.last_runs()}
    return tuple(
        Delivery(
            sync=sync,
            target=settings["target"],
            purpose=settings["purpose"],
            channel=settings["channel"],
            audience=sizes.get(f"activation/{sync}", 0),
            outcome=runs[sync]["outcome"] if sync in runs else "not run",
            unchanged=runs[sync]["unchanged"] if sync in runs else 0,
            outcomes=_outcomes(receipts, sync, runs[sync]["run_id"]) if sync in runs else (),
        )
        for sync, settings in sorted(syncs.items())
    )


def _outcomes(receipts: Receipts, sync: str, run_id: str) -> tuple[Outcome, ...]:
    delivered = Counter[str]()
    for row in receipts.counts(sync, run_id):
        if row["status"] == "delivered":
            delivered[row["op"]] += row["rows"]
    return (
        *(Outcome(op, "delivered", "", rows) for op, rows in sorted(delivered.items())),
        *(Outcome(**row) for row in receipts.undelivered(sync)),
    )
