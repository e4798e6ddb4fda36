"""How likely two records are one person, where no rule has settled it."""

from snello.identity.likelihood import Model, score


def model(dbt, session):
    """One row a pair of records that are one person at least as likely as a person should be asked about."""
    dbt.config(materialized="table")
    made = Model.from_table(dbt.ref("likelihood_model").to_arrow_table())
    records = dbt.ref("likelihood_records").to_arrow_table()
    settled = dbt.ref("rule_edges").filter(f"strength >= {float(dbt.config.get('settled'))}")
    settled = settled.project("left_record, right_record").to_arrow_table()
    return score(records, made, at_least=float(dbt.config.get("at_least")), settled=settled)
