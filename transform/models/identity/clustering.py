"""People out of records: the edges joined, and cut where a chain would bridge a contradiction."""

from snello.identity.contradictions import Contradictions
from snello.identity.reclustering import forget, kept_table, recluster


def model(dbt, session):
    """One row a record (with its cluster) or refused edge (with its rule and reason)."""
    dbt.config(materialized="incremental", incremental_strategy="append", on_schema_change="append_new_columns")
    tables = {
        "persons": dbt.ref("person_marks"),
        "edges": dbt.ref("person_edges"),
        "apart": dbt.ref("decisions").filter("verb = 'apart'"),
        "identifiers": dbt.ref("usable_identifiers"),
        "contacts": dbt.ref("person_contacts"),
        "asked": dbt.ref("rejoined_records").union(dbt.ref("retold_marks")),
    }
    rows = dbt.ref("identity_contradictions").project("kind, how").fetchall()
    [(is_whole,)] = dbt.ref("identity_run").project("is_whole").fetchall()
    previous = None
    if dbt.is_incremental and not is_whole:
        previous = kept_table(session, dbt.this.schema, dbt.this.identifier)
    found = recluster(session, tables, Contradictions.of(rows), previous=previous)
    if dbt.is_incremental:
        forget(session, str(dbt.this), previous)
    return found
