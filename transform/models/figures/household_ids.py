"""Households out of customers that live together; a household's id outlives refreshes like a customer's."""

import pyarrow as pa

from snello.identity.clusters import cluster
from snello.identity.customer_ids import assign_ids


def model(dbt, session):
    """One row a customer with a home, or a mailbox or line that is shared."""
    dbt.config(materialized="table")
    links = dbt.ref("household_links").to_arrow_table()
    previous = dbt.ref("stg_published__household_members").to_arrow_table()
    edges = pa.table(
        {
            "left": links["customer_id"],
            "right": links["other_id"],
            "strength": pa.repeat(1.0, len(links)),
            "rule": pa.repeat("household", len(links)),
        }
    )
    marks = pa.table({name: pa.array([], pa.string()) for name in ("record", "kind", "value")})
    everybody = pa.chunked_array([*links["customer_id"].chunks, *links["other_id"].chunks], pa.string())
    found = cluster(everybody, edges, marks)
    first_seen = pa.table({"record": pa.array([], pa.string()), "first_seen": pa.array([], pa.timestamp("us", "UTC"))})
    previous = previous.rename_columns({"household_id": "customer_id"})
    return assign_ids(found.assignment, previous, first_seen).assignment
