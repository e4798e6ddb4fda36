"""Customers out of clusters: an id is given once, outlives refreshes, merges and splits, and comes back."""

from snello.identity.reassigning import reassign_ids

# Births are most of the events, and tell only of a customer that a split gave records whether it lived before.
_NEEDED = """
select *
from told
where event <> 'birth' or customer_id in (select other.customer_id from told as other where other.event = 'split')
"""


def model(dbt, session):
    """One row a source record (with its customer) or event (with what moved)."""
    dbt.config(materialized="table")
    told = dbt.ref("stg_published__identity_events")
    tables = {
        "clusters": dbt.ref("record_clusters").project("record, cluster, first_seen"),
        "previous": dbt.ref("stg_published__customer_sources").project("record, customer_id"),
        "events": told.query("told", _NEEDED),
    }
    return reassign_ids(session, tables)
