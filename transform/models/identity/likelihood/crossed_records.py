"""Records whose pairs likelihood scores again though they did not change."""

from snello.identity.likelihood import Model, Prepared, turned


def model(dbt, session):
    """One row a record."""
    dbt.config(materialized="table")
    made = Model.from_table(dbt.ref("likelihood_model").to_arrow_table())
    dbt.ref("likelihood_prepared")
    records = Prepared(session, f'"{dbt.this.database}"."{dbt.this.schema}".likelihood_prepared')
    [(is_whole,)] = dbt.ref("identity_run").project("is_whole").fetchall()
    changed = dbt.ref("changed_records").to_arrow_table()["record"]
    if is_whole:
        # all of them changed
        return dbt.ref("changed_records").project("record").limit(0)
    # not a ref: the pairs of the last run are looked at before those of this one are made
    last = session.execute(f"select distinct model from {dbt.this.schema}.likelihood_pairs").fetchall()
    return turned(records, made, [name for (name,) in last], changed)
