"""What tells people apart, learned from the records at hand once and kept."""

from snello.identity.likelihood import Prepared, current


def model(dbt, session):
    """One row: the model as text, and whether it was learned here."""
    dbt.config(materialized="table")
    kept = dbt.ref("stg_published__identity_model").to_arrow_table()
    dbt.ref("likelihood_prepared")
    records = Prepared(session, f'"{dbt.this.database}"."{dbt.this.schema}".likelihood_prepared')
    return current(records, kept, retrain=bool(dbt.config.get("retrain"))).to_table()
