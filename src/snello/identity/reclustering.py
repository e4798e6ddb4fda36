"""Clusters kept from the last run where nothing changed, made anew where anything did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from snello.identity.clusters import MARGIN, cluster
from snello.identity.contradictions import KINDS, Contradictions

__all__ = ["kept_table", "recluster"]

_METHOD = 4  # another number makes every cluster anew

# What decides where a record goes, as one number: its marks, its edges, who was set apart from it.
_PRINTS = """
create or replace temp table prints as
with ends as (
    select "left" as record, hash("left", "right", strength, rule, identifier_kind) as said from edges
    union all
    select "right", hash("left", "right", strength, rule, identifier_kind) from edges
    union all
    select record, hash(kind, value) from marks
    union all
    select record, hash('contact', kind, value) from contacts
    union all
    select "left", hash(least("left", "right"), greatest("left", "right")) from apart
    union all
    select "right", hash(least("left", "right"), greatest("left", "right")) from apart
),

said as (
    select record, sum(said) as said from ends group by record
)

select records.record, hash(said.said, $settings) as print
from records
left join said on records.record = said.record
"""

_STIRRED = """
create or replace temp table stirred as
select distinct previous.component
from previous
left join prints on previous.record = prints.record and previous.print = prints.print
where prints.record is null
"""

_TOUCHED = """
create or replace temp table touched as
select prints.record
from prints
left join previous on prints.record = previous.record
where previous.record is null or previous.component in (select component from stirred)
"""

_RESULT = """
select
    found.record as left_record,
    found.cluster as right_record,
    null::varchar as rule,
    null::varchar as reason,
    null::double as strength,
    found.component,
    prints.print
from found
inner join prints on found.record = prints.record

union all

select cuts."left", cuts."right", cuts.rule, cuts.reason, cuts.strength, found.component, null::ubigint
from cuts
inner join found on cuts."left" = found.record
"""

_KEPT = """
union all

select left_record, right_record, rule, reason, strength, component, print
from {previous}
where component not in (select component from stirred)
"""


def recluster(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Any],
    contradictions: Contradictions,
    *,
    previous: str | None = None,
    margin: float = MARGIN,
) -> duckdb.DuckDBPyRelation:
    """Cluster, as ``snello.identity.clusters.cluster`` would, whatever stands in another light than at the last run.

    - ``tables``, as Arrow tables or relations of the connection: ``persons`` (``record, tax_code, birth_date, sex,
      name``), ``edges`` (``left_record, right_record, rule, identifier_kind, strength``), ``apart`` (``left_record,
      right_record``), ``identifiers`` and ``contacts`` (``record, kind, value``)
    - ``previous``: the name of the table that holds what this function gave last time; without it everything is made
    - gives ``left_record, right_record, rule, reason, strength, component, print``: a record, its cluster, its
      component and the print of all that decides on it; or, with rule and reason, an edge that was refused
    - a component in which no record's print changed is kept: the result is that of a whole run
    """
    for name, table in tables.items():
        connection.register(f"given_{name}", table)
    _views(connection, contradictions)
    settings = f"{_METHOD} {margin} {sorted(contradictions.rows)}"
    connection.execute(_PRINTS, {"settings": settings})
    kept = ""
    if previous is None:
        connection.execute("create or replace temp table touched as select record from records")
    else:
        members = f"select left_record as record, component, print from {previous} where rule is null"
        connection.execute(f"create or replace temp view previous as {members}")
        connection.execute(_STIRRED)
        connection.execute(_TOUCHED)
        kept = _KEPT.format(previous=previous)
    inside = 'semi join touched on "left" = record'
    found = cluster(
        _read(connection, "from touched")["record"],
        _read(connection, f"from edges {inside}"),
        _read(connection, "from marks semi join touched using (record)"),
        apart=_read(connection, f"from apart {inside}"),
        contacts=_read(connection, "from contacts semi join touched using (record)"),
        contradictions=contradictions,
        margin=margin,
    )
    connection.register("found", found.assignment)
    connection.register("cuts", found.cuts)
    return connection.sql(_RESULT + kept)


def kept_table(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> str | None:
    """The table of the last run, when there is one that ``recluster`` can go on from."""
    columns = connection.execute(
        "select column_name from duckdb_columns() where database_name = current_database() and schema_name = ? "
        "and table_name = ? and column_name in ('component', 'print')",
        [schema, name],
    ).fetchall()
    return f'"{schema}"."{name}"' if len(columns) == 2 else None


def _views(connection: duckdb.DuckDBPyConnection, contradictions: Contradictions) -> None:
    """The given tables under the names and columns that clustering knows."""
    known = "semi join given_persons using (record)"
    persons = "select record, '{0}' as kind, {0} as value from given_persons where {0} is not null"
    marks = [persons.format(kind) for kind in KINDS]
    if contradictions.others:
        kinds = ", ".join(f"'{kind}'" for kind in contradictions.others)
        marks.append(f"select record, kind, value from given_identifiers {known} where kind in ({kinds})")
    ends = 'left_record as "left", right_record as "right"'
    views = {
        "records": "select distinct record from given_persons",
        "edges": f"select {ends}, strength, rule, identifier_kind from given_edges",
        "marks": " union all ".join(marks),
        "contacts": f"select record, kind, value from given_contacts {known}",
        "apart": f"select {ends} from given_apart",
    }
    for name, query in views.items():
        connection.execute(f"create or replace temp view {name} as {query}")


def _read(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    return connection.sql(query).to_arrow_table()
