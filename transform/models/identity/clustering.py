"""People out of records: the edges joined, and cut where a chain would bridge a contradiction."""

import pyarrow as pa

from snello.identity.clusters import cluster


def model(dbt, session):
    """One row a record (with its cluster) or refused edge (with its rule and reason)."""
    dbt.config(materialized="table")
    records = dbt.ref("person_marks").to_arrow_table()
    edges = dbt.ref("person_edges").to_arrow_table()
    edges = edges.rename_columns({"left_record": "left", "right_record": "right"})
    marks = [
        pa.table(
            {"record": records["record"], "kind": pa.repeat(pa.scalar(kind), len(records)), "value": records[kind]}
        )
        for kind in ("tax_code", "birth_date", "sex", "name")
    ]
    marks = pa.concat_tables(marks)
    found = cluster(records["record"], edges, marks.filter(marks["value"].is_valid()))
    members = found.assignment.rename_columns({"record": "left_record", "cluster": "right_record"})
    cuts = found.cuts.select(["left", "right", "rule", "reason"])
    cuts = cuts.rename_columns({"left": "left_record", "right": "right_record"})
    return pa.concat_tables([members, cuts], promote_options="default")
