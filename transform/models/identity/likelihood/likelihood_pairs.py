"""How likely two records are one person, where no rule has settled it; scores of what did not change are kept."""

from snello.identity.likelihood import Model, Prepared, rescore


def model(dbt, session):
    """One row a pair of records that are one person at least as likely as a person should be asked about."""
    dbt.config(materialized="table")
    made = Model.from_table(dbt.ref("likelihood_model").to_arrow_table())
    dbt.ref("likelihood_prepared")
    records = Prepared(session, f'"{dbt.this.database}"."{dbt.this.schema}".likelihood_prepared')
    settled = dbt.ref("rule_edges").filter(f"strength >= {float(dbt.config.get('settled'))}")
    changed = dbt.ref("rescored_records").to_arrow_table()["record"]
    other = dbt.ref("changed_records").to_arrow_table()["record"]
    [(is_whole,)] = dbt.ref("identity_run").project("is_whole").fetchall()
    previous = session.execute(
        "select table_name from duckdb_columns() where database_name = current_database() and schema_name = ? "
        "and table_name = ? and column_name = 'model'",
        [dbt.this.schema, dbt.this.identifier],
    ).fetchall()
    kept = session.table(f"{dbt.this.schema}.{dbt.this.identifier}").to_arrow_table() if previous else None
    return rescore(
        records,
        made,
        None if is_whole else kept,
        changed,
        other=other,
        at_least=float(dbt.config.get("at_least")),
        settled=settled.project("left_record, right_record").to_arrow_table(),
    )
