"""Customers out of clusters: an id is given once and outlives refreshes, merges and splits."""

from snello.identity.customer_ids import assign_ids


def model(dbt, session):
    """One row a source record."""
    dbt.config(materialized="table")
    clusters = dbt.ref("record_clusters").to_arrow_table()
    previous = dbt.ref("stg_published__customer_sources").to_arrow_table()
    return assign_ids(
        clusters.select(["record", "cluster"]), previous, clusters.select(["record", "first_seen"])
    ).assignment
