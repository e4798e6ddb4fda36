"""The whole chain for one customer: rows, joins, values, roles, segments, consent, deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snello.cli.ledger import Receipts
from snello.cli.tables import Row, Tables
from snello.errors import ConfigError, choices

NEEDED = (
    "customers",
    "customer_identifiers",
    "customer_roles",
    "customer_sources",
    "customer_values",
    "consent_current",
    "consents",
    "identity_cuts",
    "identity_edges",
    "interactions",
    "segments",
)

_RECORDS = """
with records as (
    select source || '/' || stream || '/' || record_key as record from customer_sources where customer_id = $customer
)
"""

_QUERIES = {
    "records": """
        select source, stream, record_key, observed_at from customer_sources where customer_id = $customer
        order by source, stream, record_key""",
    "joins": f"""{_RECORDS}
        select left_record, right_record, rule, identifier_kind, strength from identity_edges
        where kept and left_record in (select record from records) and right_record in (select record from records)
        order by strength desc, rule, left_record, right_record""",
    "cuts": f"""{_RECORDS}
        select left_record, right_record, rule, reason from identity_cuts
        where left_record in (select record from records) or right_record in (select record from records)
        order by rule, left_record, right_record""",
    "reviews": f"""{_RECORDS}
        select left_record, right_record, probability, reason, evidence from identity_review
        where left_record in (select record from records) or right_record in (select record from records)
        order by probability desc, left_record, right_record""",
    "bridges": """
        select purpose, parts from identity_bridges where customer_id = $customer order by purpose""",
    "events": """
        select event, happened_at, customer_id, from_customer_id, records, cause from identity_events
        where customer_id = $customer or from_customer_id = $customer
        order by happened_at, event, customer_id, from_customer_id""",
    "identifiers": """
        select kind, value, records from customer_identifiers where customer_id = $customer
        order by kind, records desc, value""",
    "values": """
        select attribute, value, source, stream, record_key, kind, rule, is_winner, lost_to, observed_at, purposes
        from customer_values where customer_id = $customer
        order by attribute, rank""",
    "roles": """
        select role, state, holding, source, stream, record_key from customer_roles where customer_id = $customer
        order by role, holding, source, stream, record_key""",
    "timeline": """
        select occurred_at, kind, channel, detail, source, stream, record_key from interactions
        where customer_id = $customer
        union all
        select
            observed_at as occurred_at, 'segment' as kind, source as channel, value as detail,
            source, stream, record_key
        from customer_values
        where customer_id = $customer and starts_with(attribute, 'dmp_segment_')
        order by occurred_at desc nulls last, source, stream, record_key, kind""",
    "segments": """
        select segment, true as member, reason from segments where customer_id = $customer order by segment""",
    "consents": """
        select purpose, channel, state, decided_by_source, record_key, observed_at, rule from consent_current
        where customer_id = $customer order by purpose, channel""",
    "consent_history": """
        select purpose, channel, state, legal_basis, observed_at, source, record_key, notice_version from consents
        where customer_id = $customer order by observed_at desc, purpose, channel""",
}


@dataclass(frozen=True)
class Chain:
    """What the hub knows about one customer and why, as rows of the published tables.

    ``bridges`` are the purposes that know the customer as one only through records that they may not know.
    ``timeline`` is what happened, the latest first, whatever source told it; and since when a data management platform
    counts the customer to a segment, which is a supposition and no sign of life: not in the table ``interactions``.
    ``syncs`` has a row a sync: whether the customer is in its audience, what consent says, what was delivered.
    """

    customer: Row
    records: list[Row]
    joins: list[Row]
    cuts: list[Row]
    reviews: list[Row]
    bridges: list[Row]
    events: list[Row]
    identifiers: list[Row]
    values: list[Row]
    roles: list[Row]
    timeline: list[Row]
    segments: list[Row]
    consents: list[Row]
    consent_history: list[Row]
    syncs: list[Row]


def read(tables: Tables, customer: Any, receipts: Receipts, syncs: dict[str, dict[str, Any]]) -> Chain:
    """The chain of ``customer``, over every segment and every sync."""
    asked = {"customer": customer}
    [known] = tables.rows("select * from customers where customer_id = $customer", asked)
    parts = {part: tables.rows(sql, asked) for part, sql in _QUERIES.items()}
    consents = {(row["purpose"], row["channel"]): row for row in parts["consents"]}
    deliveries = [
        _delivery(tables, name, settings, customer, consents, receipts) for name, settings in sorted(syncs.items())
    ]
    return Chain(customer=known, **parts, syncs=deliveries)


def narrow(chain: Chain, segment: str, known: list[str]) -> Chain:
    """The chain with one segment and the syncs that serve it; raises ``ConfigError`` when there is no such segment."""
    if segment not in known:
        raise ConfigError("why --segment", f"no segment {segment!r}", choices(segment, known))
    parts = dict(vars(chain))
    outside = {"segment": segment, "member": False, "reason": None}
    parts["segments"] = [row for row in chain.segments if row["segment"] == segment] or [outside]
    parts["syncs"] = [row for row in chain.syncs if row["sync"].partition("__")[2] == segment]
    return Chain(**parts)


def _delivery(
    tables: Tables,
    sync: str,
    settings: dict[str, Any],
    customer: Any,
    consents: dict[tuple[str, str], Row],
    receipts: Receipts,
) -> Row:
    consent = _deciding(consents, settings["purpose"], settings["channel"])
    return {
        "sync": sync,
        "target": settings["target"],
        "purpose": settings["purpose"],
        "channel": settings["channel"],
        "in_audience": _in_audience(tables, sync, customer),
        "consent": consent["state"] if consent else "unknown",
        "held": receipts.held(sync, str(customer)),
        "kept_back": receipts.excluded(sync, str(customer)),
        "receipts": receipts.of(sync, str(customer)),
    }


def _deciding(consents: dict[tuple[str, str], Row], purpose: str, channel: str) -> Row | None:
    """The consent that the gate goes by: a refusal before a grant, this channel before any."""
    rows = [consents[purpose, by] for by in (channel, "any") if (purpose, by) in consents]
    return next((row for row in rows if row["state"] != "yes"), rows[0] if rows else None)


def _in_audience(tables: Tables, sync: str, customer: Any) -> bool | None:
    name = f"activation/{sync}"
    current = tables.lake.manifest()
    if current is None or name not in current.tables:
        return None
    audience = tables.lake.published_sql(name)
    return bool(
        tables.value(f"select count(*) from ({audience}) where customer_id = $customer", {"customer": customer})
    )
