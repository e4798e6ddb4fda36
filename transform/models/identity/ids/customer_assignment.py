"""Customers out of clusters: an id is given once, outlives refreshes, merges and splits, and comes back."""

import pyarrow as pa

from snello.identity.customer_ids import assign_ids

# Births are most of the events, and tell only of a customer that a split gave records whether it lived before.
_NEEDED = """
select *
from told
where event <> 'birth' or customer_id in (select other.customer_id from told as other where other.event = 'split')
"""


def model(dbt, session):
    """One row a source record (with its customer) or event (with what moved)."""
    dbt.config(materialized="table")
    clusters = dbt.ref("record_clusters").select("record, cluster, first_seen").to_arrow_table()
    previous = dbt.ref("stg_published__customer_sources").select("record, customer_id").to_arrow_table()
    told = dbt.ref("stg_published__identity_events")
    events = told.query("told", _NEEDED).to_arrow_table()
    found = assign_ids(
        clusters.select(["record", "cluster"]), previous, clusters.select(["record", "first_seen"]), events
    )
    return pa.concat_tables([found.assignment, found.events], promote_options="default")
