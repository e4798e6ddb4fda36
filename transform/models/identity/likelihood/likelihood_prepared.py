"""Records made ready to be compared, kept from run to run; those that changed also as they were."""

from snello.identity.likelihood import prepare


def model(dbt, session):
    """One row a record, and one a record that changed."""
    dbt.config(materialized="incremental", incremental_strategy="append", on_schema_change="append_new_columns")
    dbt.ref("likelihood_records")
    dbt.ref("changed_records")
    [(is_whole,)] = dbt.ref("identity_run").project("is_whole").fetchall()
    last = 0
    if dbt.is_incremental and not is_whole:
        [(last,)] = session.execute(f"select coalesce(max(id), 0) from {dbt.this}").fetchall()
    return prepare(session, f"{dbt.this.schema}.likelihood_records", last)
