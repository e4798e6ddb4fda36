"""Merged customers in a channel: a row held under the key of somebody who is now another is moved, not added again.

Reads ``aliases(key, customer)`` beside the relations of the diff; leaves behind

- ``merging(key, customer, wanted, kept)``: rows that the channel holds, or may hold, of customers who are another now;
  ``wanted``: that other one is to be sent; ``kept``: a gate lets stay what the channel holds of them
- ``moves(old, key)``: the row held under ``old`` is to be found under ``key`` from now on

A row moves when the channel is sure to hold it and holds none of the other customer's; of several the first by key.
Where both are held, or the other one's row was refused before, the old row is removed and the other sent.
A move without an outcome is made again: a channel that has made it already takes it as an upsert. Until it has one the
old row is a removal in doubt that tried something, so that it is sent anew should the customers be parted before.
"""

from __future__ import annotations

import duckdb

MOVING = ("mirror", "upsert")

NONE = (
    "create temp table merging (key varchar, customer varchar, wanted boolean, kept boolean)",
    "create temp table moves (old varchar, key varchar)",
)

MERGING = """
create temp table merging as
with maybe_held as (
    select key from settled
    union all
    select key from unsettled where fingerprint is not null or status in ('in_doubt', 'retrying')
)
select
    key, customer, customer in (select key from want) as wanted,
    customer in (select key from excluded where keep) as kept
from aliases
semi join maybe_held using (key)
anti join (select key from want) using (key)
"""

MOVES = """
create temp table moves as
with certain as (
    select key from settled where fingerprint <> '?'
    union all
    select key from unsettled
    where fingerprint <> '?' and (status not in ('in_doubt', 'retrying') or (op = 'remove' and tried is not null))
),
taken as (
    select key from settled
    union all
    select key from unsettled
    where fingerprint is not null or (op = 'upsert' and status in ('refused', 'dead', 'dropped'))
    union all
    select key from erased
)
select min(key) as old, customer as key
from merging
semi join certain using (key)
anti join taken on taken.key = merging.customer
where wanted and key not in (select key from erased)
group by customer
"""


def find(connection: duckdb.DuckDBPyConnection, mode: str) -> None:
    """Make ``merging`` and ``moves``; empty where nobody is another now, or the mode moves nothing."""
    merged = mode in MOVING and connection.execute("select count(*) from aliases").fetchall()[0][0]
    for statement in (MERGING, MOVES) if merged else NONE:
        connection.execute(statement)
