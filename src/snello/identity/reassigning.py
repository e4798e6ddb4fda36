"""Ids of customers that are what they were are taken as they stand; the others are given anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from snello.identity.customer_ids import assign_ids

# Customers that are what they were, record by record, and of whom no event tells: nothing is to be asked of them.
_SETTLED = """
create or replace temp table settled as
with now as (
    select
        clusters.cluster,
        min(previous.customer_id) as customer_id,
        count(*) as records
    from given_clusters as clusters
    left join given_previous as previous on clusters.record = previous.record
    group by clusters.cluster
    having count(previous.customer_id) = count(*) and min(previous.customer_id) = max(previous.customer_id)
),

before as (
    select customer_id, count(*) as records
    from given_previous
    group by customer_id
)

select now.cluster, now.customer_id
from now
inner join before on now.customer_id = before.customer_id and now.records = before.records
where
    now.customer_id not in (select customer_id from given_events where customer_id is not null)
    and now.customer_id not in (select from_customer_id from given_events where from_customer_id is not null)
"""

_UNSETTLED = """
select record, cluster, first_seen from given_clusters where cluster not in (select cluster from settled)
"""

_LEFT = """
select record, customer_id from given_previous where customer_id not in (select customer_id from settled)
"""

_EVERYBODY = """
select
    clusters.record, settled.customer_id, null::varchar as event, null::varchar as from_customer_id,
    null::bigint as records, null::varchar [] as moved, null::varchar [] as stayed
from given_clusters as clusters
inner join settled on clusters.cluster = settled.cluster

union all by name

select * from given_rest
"""


def reassign_ids(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Any]) -> duckdb.DuckDBPyRelation:
    """What ``assign_ids`` gives, both tables in one; only customers whose records are not as they were are looked at.

    - ``tables``, as relations of the connection: ``clusters`` (``record, cluster, first_seen``), ``previous`` and
      ``events`` as there
    """
    for name, table in tables.items():
        connection.register(f"given_{name}", table)
    connection.execute(_SETTLED)
    rest = connection.sql(_UNSETTLED).to_arrow_table()
    found = assign_ids(
        rest.select(["record", "cluster"]),
        connection.sql(_LEFT).to_arrow_table(),
        rest.select(["record", "first_seen"]),
        connection.sql("select * from given_events").to_arrow_table(),
        settled=connection.sql("select customer_id from settled").to_arrow_table(),
    )
    connection.register("given_rest", pa.concat_tables([found.assignment, found.events], promote_options="default"))
    return connection.sql(_EVERYBODY)
