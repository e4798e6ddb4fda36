"""A ``customer_id`` is given once: it outlives refreshes, merges and splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import duckdb
import pyarrow as pa

# Which customers each cluster could continue: those that its records had, with how many of them, eldest record first.
_CLAIMS = """
with seen as (
    select record, min(first_seen::timestamptz) as first_seen
    from given_first_seen
    group by record
),

members as (
    select
        assignment.cluster,
        assignment.record,
        previous.customer_id,
        coalesce(seen.first_seen, 'infinity'::timestamptz) as first_seen
    from assignment
    left join previous on assignment.record = previous.record
    left join seen on assignment.record = seen.record
),

elders as (
    select
        customer_id,
        min((first_seen, record)) as elder
    from members
    where customer_id is not null
    group by customer_id
),

claims as (
    select
        members.customer_id,
        members.cluster,
        count(*) as records,
        min((members.first_seen, members.record)) as eldest,
        any_value(elders.elder) as elder
    from members
    inner join elders on members.customer_id = elders.customer_id
    group by members.customer_id, members.cluster
)

select customer_id, cluster
from claims
order by elder, customer_id, records desc, eldest
"""

_UNNAMED = """
select
    cluster,
    arg_min(record, (coalesce(first_seen::timestamptz, 'infinity'::timestamptz), record)) as eldest
from assignment
left join given_first_seen using (record)
where cluster not in (select cluster from kept)
group by cluster
order by cluster
"""

_ASSIGNED = """
select
    assignment.record,
    given.customer_id
from assignment
inner join given on assignment.cluster = given.cluster
order by assignment.record
"""

_EVENTS = """
select
    case when previous.customer_id in (select customer_id from given) then 'split' else 'merged' end as event,
    previous.customer_id as from_customer_id,
    given.customer_id as to_customer_id,
    count(*) as records
from previous
inner join assignment on previous.record = assignment.record
inner join given on assignment.cluster = given.cluster
where previous.customer_id <> given.customer_id
group by all
order by all
"""


@dataclass(frozen=True)
class Identities:
    """Which customer each record is.

    - ``assignment``: ``record, customer_id``
    - ``events``: ``event, from_customer_id, to_customer_id, records``: records that changed customer, because the old
      one ``merged`` into an elder, or was ``split`` and lives on
    """

    assignment: pa.Table
    events: pa.Table


def assign_ids(assignment: pa.Table, previous: pa.Table, first_seen: pa.Table) -> Identities:
    """Give each cluster the customer its records had before, or a new one.

    - ``assignment``: ``record, cluster``; ``previous``: ``record, customer_id`` as last published; ``first_seen``:
      ``record, first_seen``
    - of several customers in one cluster the one known longest stays; a customer whose records part stays with most of
      them, with the eldest record when equal; what it leaves behind takes its own next choice or a new id
    - a new id follows from the eldest record's name, so that the same lake gives the same ids without any memory
    """
    with duckdb.connect() as connection:
        connection.register("assignment", assignment)
        connection.register("previous", previous)
        connection.register("given_first_seen", first_seen)
        kept = _continued(connection.execute(_CLAIMS).fetchall())
        connection.register("kept", _table(kept))
        taken = set(previous["customer_id"].to_pylist())
        new = dict(_named(connection.execute(_UNNAMED).fetchall(), taken))
        connection.register("given", _table(kept | new))
        named = connection.sql(_ASSIGNED).to_arrow_table()
        return Identities(named, connection.sql(_EVENTS).to_arrow_table())


def _continued(claims: list[tuple[str, str]]) -> dict[str, str]:
    """Cluster → customer: each customer, eldest first, takes the best of its clusters that is still free."""
    found: dict[str, str] = {}
    for customer, wishes in groupby(claims, key=lambda claim: claim[0]):
        free = next((cluster for _, cluster in wishes if cluster not in found), None)
        if free is not None:
            found[free] = customer
    return found


def _named(clusters: list[tuple[str, str]], taken: set[str]) -> Iterator[tuple[str, str]]:
    """New ids; one that the last publication gave to somebody is not given again."""
    for cluster, eldest in clusters:
        turn = 0
        while (customer := _id(eldest, turn)) in taken:
            turn += 1
        taken.add(customer)
        yield cluster, customer


def _id(record: str, turn: int) -> str:
    text = f"{record}#{turn}" if turn else record
    return f"c{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


def _table(customers: dict[str, str]) -> pa.Table:
    return pa.table({"cluster": list(customers), "customer_id": list(customers.values())}, _SCHEMA)


_SCHEMA = pa.schema({"cluster": pa.string(), "customer_id": pa.string()})
