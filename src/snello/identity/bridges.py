"""Customers whom a purpose would know as one only through records that it may not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from snello.identity.arrays import components

PARTS = pa.schema(
    [("customer_id", pa.string()), ("purpose", pa.string()), ("parts", pa.int64()), ("records", pa.int64())]
)

# Only who has records of both kinds, and at least two that the purpose may know, can be held together by the others.
_SEEN = """
create or replace temp table bridge_seen as
with whole as (
    select customer_id, records from given_scopes where purpose = 'everything'
),

mixed as (
    select scopes.customer_id, scopes.purpose
    from given_scopes as scopes
    inner join whole on scopes.customer_id = whole.customer_id
    where scopes.records > 1 and scopes.records < whole.records
)

select row_number() over () - 1 as id, mixed.customer_id, records.record, mixed.purpose
from mixed
inner join given_records as records on mixed.customer_id = records.customer_id
inner join given_permissions as permissions
    on records.source = permissions.source and mixed.purpose = permissions.purpose
"""

# Two records that say the same of themselves, or that an edge joins, need no third.
_LINKS = """
with said as (
    select seen.id, seen.customer_id, seen.purpose, evidence.kind, evidence.value
    from bridge_seen as seen
    inner join given_evidence as evidence on seen.record = evidence.record
)

select id as "left", min(id) over (partition by customer_id, purpose, kind, value) as "right" from said
union
select lefts.id as "left", rights.id as "right"
from given_edges as edges
inner join bridge_seen as lefts on edges.left_record = lefts.record
inner join bridge_seen as rights
    on edges.right_record = rights.record and lefts.purpose = rights.purpose and lefts.customer_id = rights.customer_id
"""

_RESULT = """
with parts as (
    select seen.customer_id, seen.purpose, labels.part, count(*) as records
    from bridge_seen as seen
    inner join labels on seen.id = labels.id
    group by seen.customer_id, seen.purpose, labels.part
)

select customer_id, purpose, count(*) as parts, sum(records)::bigint as records
from parts
group by customer_id, purpose
having count(*) > 1
"""


def bridges(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Any]) -> pa.Table:
    """``customer_id, purpose, parts, records``: into how many parts a customer falls for a purpose, where not one.

    - ``tables``: ``records`` (``record, customer_id, source``), ``permissions`` (``source, purpose``), ``scopes``
      (``customer_id, purpose, records``: how many records the purpose may know, and ``everything`` how many there
      are), ``evidence`` (``record, kind, value``), ``edges`` (``left_record, right_record``)
    - ``records`` of the result: how many the purpose may know
    """
    for name, table in tables.items():
        connection.register(f"given_{name}", table)
    connection.execute(_SEEN)
    [(count,)] = connection.execute("select count(*) from bridge_seen").fetchall()
    if not count:
        return PARTS.empty_table()
    links = connection.sql(_LINKS).to_arrow_table()
    left, right = (np.asarray(links[side].to_numpy(), np.int64) for side in ("left", "right"))
    labels = components(left, right, count)
    connection.register("labels", pa.table({"id": np.arange(count), "part": labels}))
    return connection.sql(_RESULT).to_arrow_table().cast(PARTS)
