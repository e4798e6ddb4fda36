"""A ``customer_id`` is given once: it outlives refreshes, merges and splits, and comes back with its records."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

import duckdb
import pyarrow as pa

from snello.identity.customer_events import HISTORY, changes, history
from snello.identity.seniority import Age, ages

# Most customers continue one cluster and share it with nobody: those are settled as a set, the rest one by one.
_CLAIMS = """
create table members as
select
    assignment.cluster,
    assignment.record,
    previous.customer_id
from assignment
left join previous on assignment.record = previous.record;

create table claims as
select customer_id, cluster, count(*) as records
from members
where customer_id is not null
group by customer_id, cluster;

create table plain as
select customer_id, cluster
from claims
qualify count(*) over (partition by customer_id) = 1 and count(*) over (partition by cluster) = 1
"""

# The records of the customers that are left.
_AGED = """
create table aged as
with contested as (
    select claims.*
    from claims
    anti join plain on claims.customer_id = plain.customer_id
)

select
    members.customer_id,
    members.cluster,
    members.record,
    coalesce(epoch_us(seen.first_seen), 9223372036854775807) as first_seen,
    absorbed.record is null as is_own
from members
semi join contested on members.customer_id = contested.customer_id
left join seen on members.record = seen.record
left join absorbed on members.record = absorbed.record and members.customer_id = absorbed.customer_id
"""

# Which clusters a customer could continue: with most of the records that it did not get by a merge, then with most.
_CONTESTED = """
select customer_id, cluster
from aged
group by customer_id, cluster
order by customer_id, count(*) filter (where is_own) desc, count(*) desc, min((first_seen, record))
"""

# Which customers that ended a cluster without a name was: the one whose records it resembles most.
_RESTORABLE = """
with nameless as (
    select assignment.cluster, assignment.record
    from assignment
    anti join kept on assignment.cluster = kept.cluster
),

sizes as (
    select cluster, count(*) as size
    from nameless
    group by cluster
),

gone as (
    select retired.*
    from retired
    anti join previous on retired.customer_id = previous.customer_id
),

former as (
    select customer_id, max(retired_at) as retired_at, count(*) as size
    from gone
    group by customer_id
),

shared as (
    select gone.customer_id, nameless.cluster, count(*) as records
    from gone
    inner join nameless on gone.record = nameless.record
    group by gone.customer_id, nameless.cluster
)

select shared.customer_id, shared.cluster
from shared
inner join former on shared.customer_id = former.customer_id
inner join sizes on shared.cluster = sizes.cluster
order by
    shared.records / (former.size + sizes.size - shared.records) desc,
    former.retired_at desc, shared.customer_id, shared.cluster
"""

_UNNAMED = """
with nameless as (
    select
        assignment.cluster,
        assignment.record,
        coalesce(seen.first_seen, 'infinity'::timestamptz) as first_seen
    from assignment
    anti join kept on assignment.cluster = kept.cluster
    left join seen on assignment.record = seen.record
),

oldest as (
    select cluster, min(first_seen) as first_seen
    from nameless
    group by cluster
)

select nameless.cluster, min(nameless.record) as eldest
from nameless
inner join oldest on nameless.cluster = oldest.cluster and nameless.first_seen = oldest.first_seen
group by nameless.cluster
order by nameless.cluster
"""

_TAKEN = """
select distinct named.customer_id
from named
where
    named.customer_id in (select previous.customer_id from previous)
    or named.customer_id in (select settled.customer_id from settled)
    or named.customer_id in (select retired.customer_id from retired)
    or named.customer_id in (select kept.customer_id from kept)
"""

_ASSIGNED = """
select assignment.record, kept.customer_id
from assignment
inner join kept on assignment.cluster = kept.cluster
order by assignment.record
"""


@dataclass(frozen=True)
class Identities:
    """Which customer each record is.

    - ``assignment``: ``record, customer_id``
    - ``events``: what changed since ``previous``, see ``snello.identity.customer_events``
    """

    assignment: pa.Table
    events: pa.Table


def assign_ids(
    assignment: pa.Table,
    previous: pa.Table,
    first_seen: pa.Table,
    events: pa.Table | None = None,
    *,
    settled: pa.Table | None = None,
) -> Identities:
    """Give each cluster the customer its records had before, the one they had before a merge, or a new one.

    - ``assignment``: ``record, cluster``; ``previous``: ``record, customer_id`` as last published; ``first_seen``:
      ``record, first_seen``; ``events``: every event so far, with ``happened_at``; of births those of customers that
      ever got records by a split are enough; ``settled``: the ``customer_id`` of each customer that is left out of all
      these since it is what it was and no event tells of it
    - of several customers in one cluster the one known longest stays, never one that was split off another of them
    - a customer whose records part stays with most of those that were its own, not got by a merge, then with most of
      all, with the eldest record when equal
    - a cluster left without a name that holds records of a customer that ended, merged away or with its records gone,
      gets that customer's id again
    - a new id follows from the eldest record's name, so that the same lake gives the same ids without any memory
    """
    with duckdb.connect() as connection:
        connection.register("assignment", assignment)
        connection.register("previous", previous)
        connection.register("given_first_seen", first_seen)
        connection.register("settled", previous.slice(0, 0) if settled is None else settled)
        connection.execute(
            "create view seen as select record, min(first_seen::timestamptz) as first_seen"
            " from given_first_seen group by record"
        )
        history(connection, HISTORY.empty_table() if events is None else events)
        connection.execute(_CLAIMS)
        connection.execute("create table kept as select cluster, customer_id from plain")
        connection.execute(_AGED)
        _keep(connection, _continued(connection.execute(_CONTESTED).fetchall(), ages(connection)))
        _keep(connection, _restored(connection.execute(_RESTORABLE).fetchall()))
        _name(connection)
        connection.execute("drop table members; drop table claims; drop table plain; drop table aged")
        connection.execute(f"create table assigned as {_ASSIGNED}")
        named = connection.sql("select record, customer_id from assigned").to_arrow_table()
        return Identities(named, changes(connection))


def _continued(claims: list[tuple[str, str]], known: Mapping[str, Age]) -> dict[str, str]:
    """Cluster → customer: each customer, eldest first, takes the best of its clusters that is still free."""
    found: dict[str, str] = {}
    wishes = {customer: list(wanted) for customer, wanted in groupby(claims, key=lambda claim: claim[0])}
    for customer in sorted(wishes, key=lambda one: (known[one], one)):
        free = next((cluster for _, cluster in wishes[customer] if cluster not in found), None)
        if free is not None:
            found[free] = customer
    return found


def _restored(likest: list[tuple[str, str]]) -> dict[str, str]:
    """Cluster → customer that comes back: the likest pair first, each side once."""
    found: dict[str, str] = {}
    back: set[str] = set()
    for customer, cluster in likest:
        if cluster not in found and customer not in back:
            found[cluster] = customer
            back.add(customer)
    return found


def _name(connection: duckdb.DuckDBPyConnection) -> None:
    """New ids for the clusters that still have none; an id that anybody ever had is not given again."""
    rest = connection.sql(_UNNAMED).to_arrow_table()
    turn = 0
    while rest.num_rows:
        ids = pa.array([_id(record, turn) for record in rest["eldest"].to_pylist()], pa.string())
        connection.register("named", rest.append_column("customer_id", ids))
        taken = connection.sql(_TAKEN).to_arrow_table()["customer_id"]
        connection.register("taken", pa.table({"customer_id": taken}))
        connection.execute(
            "insert into kept select cluster, customer_id from named anti join taken using (customer_id)"
        )
        rest = connection.sql("select cluster, eldest from named semi join taken using (customer_id)").to_arrow_table()
        turn += 1


def _keep(connection: duckdb.DuckDBPyConnection, customers: dict[str, str]) -> None:
    """Add cluster → customer to what is settled."""
    if customers:
        found = pa.table({"cluster": list(customers), "customer_id": list(customers.values())})
        connection.register("found", found)
        connection.execute("insert into kept select cluster, customer_id from found")


def _id(record: str, turn: int) -> str:
    text = f"{record}#{turn}" if turn else record
    return f"c{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"
