"""Customers out of clusters: an id is given once, outlives refreshes, merges and splits, and comes back."""

import pyarrow as pa

from snello.identity.customer_ids import assign_ids


def model(dbt, session):
    """One row a source record (with its customer) or event (with what moved)."""
    dbt.config(materialized="table")
    clusters = dbt.ref("record_clusters").select("record, cluster, first_seen").to_arrow_table()
    previous = dbt.ref("stg_published__customer_sources").select("record, customer_id").to_arrow_table()
    events = dbt.ref("stg_published__identity_events").filter("event <> 'birth'").to_arrow_table()
    found = assign_ids(
        clusters.select(["record", "cluster"]), previous, clusters.select(["record", "first_seen"]), events
    )
    return pa.concat_tables([found.assignment, found.events], promote_options="default")
