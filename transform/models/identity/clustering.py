"""People out of records: the edges joined, and cut where a chain would bridge a contradiction."""

from dbt.flags import get_flags

from snello.identity.contradictions import Contradictions
from snello.identity.reclustering import kept_table, recluster


def model(dbt, session):
    """One row a record (with its cluster) or refused edge (with its rule and reason)."""
    dbt.config(materialized="table")
    tables = {
        "persons": dbt.ref("person_marks"),
        "edges": dbt.ref("person_edges"),
        "apart": dbt.ref("decisions").filter("verb = 'apart'"),
        "identifiers": dbt.ref("usable_identifiers"),
        "contacts": dbt.ref("person_contacts"),
    }
    rows = dbt.ref("identity_contradictions").project("kind, how").fetchall()
    [(is_whole,)] = dbt.ref("identity_run").project("is_whole").fetchall()
    anew = is_whole or get_flags().FULL_REFRESH
    previous = None if anew else kept_table(session, dbt.this.schema, dbt.this.identifier)
    return recluster(session, tables, Contradictions.of(rows), previous=previous)
