"""Clusters kept from the last run where nothing changed, made anew where anything did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from snello.errors import ContractError
from snello.identity.clusters import MARGIN, cluster
from snello.identity.contradictions import KINDS, Contradictions

__all__ = ["kept_table", "recluster"]

# Records in text order, so that the first of a cluster by number is the first by name.
_NUMBERED = """
create or replace temp table numbered as
select row_number() over (order by record) - 1 as id, record, md5_number(record) as named, {kinds}
from given_persons
"""

_BY_NUMBER = {
    "edges": """
        select l.id as "left", r.id as "right", l.named as left_name, r.named as right_name,
            strength, rule, identifier_kind
        from given_edges
        inner join numbered as l on left_record = l.record
        inner join numbered as r on right_record = r.record
    """,
    "contacts": "select id, kind, value from given_contacts inner join numbered using (record)",
    "apart": """
        select l.id as "left", r.id as "right", l.named as left_name, r.named as right_name
        from given_apart
        inner join numbered as l on left_record = l.record
        inner join numbered as r on right_record = r.record
    """,
}

# What decides where a record goes, as one number: its marks, its edges, who was set apart from it.
_PRINTS = """
create or replace temp table prints as
with ends as (
    select unnest(["left", "right"]) as id, hash(left_name, right_name, strength, rule, identifier_kind) as said
    from edges
    union all
    select id, hash(kind, md5_number(value)) from marks
    union all
    select id, hash('contact', kind, md5_number(value)) from contacts
    union all
    select unnest(["left", "right"]), hash(least(left_name, right_name), greatest(left_name, right_name)) from apart
),

said as (
    select id, sum(said) as said from ends group by id
)

select numbered.id, hash(said.said, $settings) as print
from numbered
left join said on numbered.id = said.id
"""

_STIRRED = """
create or replace temp table stirred as
select distinct previous.component
from previous
left join numbered on previous.record = numbered.record
left join prints on numbered.id = prints.id and previous.print = prints.print
where prints.id is null
"""

# Numbered anew, without a gap.
_TOUCHED = """
create or replace temp table touched as
select numbered.id, row_number() over (order by numbered.id) - 1 as place
from numbered
left join previous on numbered.record = previous.record
where previous.record is null or previous.component in (select component from stirred)
"""

# Few words said of many rows go over as numbers that stand for them.
_WORDS = """
create or replace temp type mark_kinds as enum (select distinct kind from marks);
create or replace temp type contact_kinds as enum (select distinct kind from contacts);
create or replace temp type edge_rules as enum (select distinct rule from edges where rule is not null);
create or replace temp type edge_kinds as enum (
    select distinct identifier_kind from edges where identifier_kind is not null
)
"""

_OF_TOUCHED = "select place as record, kind::{words} as kind, value from {rows} inner join touched using (id)"
_EVIDENCE = "strength, rule::edge_rules as rule, identifier_kind::edge_kinds as identifier_kind"
_BETWEEN = """
select l.place as "left", r.place as "right", {columns}
from {pairs} as pairs
inner join touched as l on pairs."left" = l.id
inner join touched as r on pairs."right" = r.id
"""

_RESULT = """
with named as (
    select record, touched.place
    from touched inner join numbered on touched.id = numbered.id
),

people as (
    select
        mine.record,
        first.record as cluster,
        whole.record as component,
        found.record as place
    from found
    inner join named as mine on found.record = mine.place
    inner join named as first on found.cluster = first.place
    inner join named as whole on found.component = whole.place
)

select
    people.record as left_record,
    people.cluster as right_record,
    null::varchar as rule,
    null::varchar as reason,
    null::double as strength,
    people.component,
    prints.print
from people
inner join touched on people.place = touched.place
inner join prints on touched.id = prints.id

union all

select people.record, other.record, cuts.rule, cuts.reason, cuts.strength, people.component, null::ubigint
from cuts
inner join people on cuts."left" = people.place
inner join named as other on cuts."right" = other.place
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
    _number(connection, contradictions)
    connection.execute(_PRINTS, {"settings": f"{margin} {sorted(contradictions.rows)}"})
    kept = ""
    if previous is None:
        connection.execute("create or replace temp table touched as select id, id as place from numbered")
    else:
        members = f"select left_record as record, component, print from {previous} where rule is null"
        connection.execute(f"create or replace temp view previous as {members}")
        connection.execute(_STIRRED)
        connection.execute(_TOUCHED)
        kept = _KEPT.format(previous=previous)
    connection.execute(_WORDS)
    found = cluster(
        _read(connection, "select place from touched order by place")["place"],
        _read(connection, _BETWEEN.format(columns=_EVIDENCE, pairs="edges")),
        _read(connection, _OF_TOUCHED.format(rows="marks", words="mark_kinds")),
        apart=_read(connection, _BETWEEN.format(columns="true as said", pairs="apart")),
        contacts=_read(connection, _OF_TOUCHED.format(rows="contacts", words="contact_kinds")),
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


def _number(connection: duckdb.DuckDBPyConnection, contradictions: Contradictions) -> None:
    """The given tables with numbers instead of names of records; raises ``ContractError`` for edges of strangers."""
    connection.execute(_NUMBERED.format(kinds=", ".join(KINDS)))
    for name, query in _BY_NUMBER.items():
        connection.execute(f"create or replace temp table {name} as {query}")
    [(lost,)] = connection.execute(
        "select (select count(*) from given_edges) - (select count(*) from edges)"
    ).fetchall()
    if lost:
        cure = "pass every record that the edges speak of, once"
        raise ContractError("identity", f"{abs(lost):,} edges name no record, or one that is there twice", cure)
    marks = [f"select id, '{kind}' as kind, {kind} as value from numbered where {kind} is not null" for kind in KINDS]
    if contradictions.others:
        kinds = ", ".join(f"'{kind}'" for kind in contradictions.others)
        others = "given_identifiers inner join numbered using (record)"
        marks.append(f"select id, kind, value from {others} where kind in ({kinds})")
    connection.execute(f"create or replace temp view marks as {' union all '.join(marks)}")


def _read(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    return connection.sql(query).to_arrow_table()
