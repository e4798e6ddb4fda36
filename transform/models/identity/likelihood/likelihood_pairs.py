"""How likely two records are one person, where no rule has settled it; scores of what did not change are kept."""

from snello.identity.likelihood import Model, Prepared, rescore


def model(dbt, session):
    """One row a pair of records that are one person at least as likely as a person should be asked about."""
    dbt.config(materialized="incremental", incremental_strategy="append", on_schema_change="append_new_columns")
    made = Model.from_table(dbt.ref("likelihood_model").to_arrow_table())
    dbt.ref("likelihood_prepared")
    records = Prepared(session, f'"{dbt.this.database}"."{dbt.this.schema}".likelihood_prepared')
    settled = dbt.ref("rule_edges").filter(f"strength >= {float(dbt.config.get('settled'))}")
    rescored = dbt.ref("rescored_records").project("record").union(dbt.ref("crossed_records"))
    [(is_whole,)] = dbt.ref("identity_run").project("is_whole").fetchall()
    asked = None
    if dbt.is_incremental and not is_whole:
        again = rescored.distinct().to_arrow_table()
        session.register("asked_again", again)
        either = " or ".join(f"{side}_record in (select record from asked_again)" for side in ("left", "right"))
        settled = settled.filter(either)
        session.execute(f"delete from {dbt.this} where {either}")
        asked = again["record"]
    elif dbt.is_incremental:
        session.execute(f"delete from {dbt.this}")
    return rescore(
        records,
        made,
        asked,
        at_least=float(dbt.config.get("at_least")),
        settled=settled.project("left_record, right_record").to_arrow_table(),
    )
