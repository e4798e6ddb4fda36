"""Clusters kept from the last run where nothing changed, made anew where anything did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from snello.errors import ContractError
from snello.identity.clusters import MARGIN, cluster
from snello.identity.contradictions import KINDS, Contradictions

__all__ = ["forget", "kept_table", "recluster"]

# Whom another light may have fallen on: who is asked about, who is set apart or was, whom an edge of theirs reaches.
_STIRRED = """
create or replace temp table asked as
select record from given_asked
union select left_record from given_apart
union select right_record from given_apart
union select left_record from {previous} where is_apart;

create or replace temp table reached as
select record from asked
union
select unnest([left_record, right_record]) from given_edges
where left_record in (select record from asked) or right_record in (select record from asked);

create or replace temp table stirred as
select distinct component from {previous}
where rule is null and left_record in (select record from reached);

create or replace temp table chosen as
select record from reached
union
select left_record from {previous} where rule is null and component in (select component from stirred)
"""

# Records in text order, so that the first of a cluster by number is the first by name.
_NUMBERED = """
create or replace temp table touched as
select (row_number() over (order by record) - 1)::int as id, record, {kinds}
from given_persons
where {chosen}
"""

# Few words said of many rows go over as numbers that stand for them.
_WORDS = """
create or replace temp table edges as
select l.id as "left", r.id as "right", strength, rule, identifier_kind
from (select * from given_edges where {chosen}) as given
left join touched as l on left_record = l.record
left join touched as r on right_record = r.record;

create or replace temp table contacts as
select id as record, kind, value from given_contacts inner join touched using (record);

create or replace temp type mark_kinds as enum (select distinct kind from marks);
create or replace temp type contact_kinds as enum (select distinct kind from contacts);
create or replace temp type edge_rules as enum (select distinct rule from edges where rule is not null);
create or replace temp type edge_kinds as enum (
    select distinct identifier_kind from edges where identifier_kind is not null
)
"""

_OF_TOUCHED = "select record, kind::{words} as kind, value from {rows}"
_EDGES = """
select "left", "right", strength, rule::edge_rules as rule, identifier_kind::edge_kinds as identifier_kind
from edges
"""
_APART = """
select l.id as "left", r.id as "right"
from given_apart
inner join touched as l on left_record = l.record
inner join touched as r on right_record = r.record
"""

_RESULT = """
with people as (
    select
        mine.record,
        first.record as cluster,
        whole.record as component,
        found.record as place
    from found
    inner join touched as mine on found.record = mine.id
    inner join touched as first on found.cluster = first.id
    inner join touched as whole on found.component = whole.id
)

select
    record as left_record,
    cluster as right_record,
    null::varchar as rule,
    null::varchar as reason,
    null::double as strength,
    component,
    record in (select unnest([left_record, right_record]) from given_apart) as is_apart
from people

union all

select people.record, other.record, cuts.rule, cuts.reason, cuts.strength, people.component, false
from cuts
inner join people on cuts."left" = people.place
inner join touched as other on cuts."right" = other.id
"""


def recluster(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Any],
    contradictions: Contradictions,
    *,
    previous: str | None = None,
    margin: float = MARGIN,
) -> duckdb.DuckDBPyRelation:
    """Cluster, as ``snello.identity.clusters.cluster`` would, the components on which another light may have fallen.

    - ``tables``, as Arrow tables or relations of the connection: ``persons`` (``record, tax_code, birth_date, sex,
      name``), ``edges`` (``left_record, right_record, rule, identifier_kind, strength``), ``apart`` (``left_record,
      right_record``), ``identifiers`` and ``contacts`` (``record, kind, value``)
    - ``previous``: the name of the table that holds what this function gave last time, by the same contradictions and
      margin; without it everything is made. Then ``asked`` (``record``) is among the tables: at least the records that
      are new or gone or have other marks, identifiers or contacts, and an end of each edge that is new, gone or other
    - gives ``left_record, right_record, rule, reason, strength, component, is_apart``: a record, its cluster, its
      component and whether somebody was set apart from it; or, with rule and reason, an edge that was refused. These
      rows take the place of those that ``forget`` deletes from ``previous``: the result is that of a whole run
    """
    for name, table in tables.items():
        connection.register(f"given_{name}", table)
    if previous is not None:
        connection.execute(_STIRRED.format(previous=previous))
    chosen = "{} in (select record from chosen)" if previous is not None else "true"
    connection.execute(_NUMBERED.format(kinds=", ".join(KINDS), chosen=chosen.format("record")))
    connection.execute(_marks(contradictions))
    connection.execute(_WORDS.format(chosen=chosen.format("left_record")))
    _refuse_strangers(connection)
    found = cluster(
        _read(connection, "select id from touched order by id")["id"],
        lambda: _taken(connection, _EDGES, "edges"),
        lambda: _read(connection, _OF_TOUCHED.format(rows="marks", words="mark_kinds")),
        apart=_read(connection, _APART),
        contacts=lambda: _taken(connection, _OF_TOUCHED.format(rows="contacts", words="contact_kinds"), "contacts"),
        contradictions=contradictions,
        margin=margin,
    )
    connection.register("found", found.assignment)
    connection.register("cuts", found.cuts)
    return connection.sql(_RESULT)


def forget(connection: duckdb.DuckDBPyConnection, table: str, previous: str | None) -> None:
    """Delete from ``table`` what the last ``recluster``, with this ``previous``, gave anew."""
    which = "component in (select component from stirred)" if previous is not None else "true"
    connection.execute(f"delete from {table} where {which}")


def kept_table(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> str | None:
    """The table of the last run, when there is one that ``recluster`` can go on from."""
    columns = connection.execute(
        "select column_name from duckdb_columns() where database_name = current_database() and schema_name = ? "
        "and table_name = ? and column_name in ('component', 'is_apart')",
        [schema, name],
    ).fetchall()
    return f'"{schema}"."{name}"' if len(columns) == 2 else None


def _refuse_strangers(connection: duckdb.DuckDBPyConnection) -> None:
    [(lost, twice)] = connection.execute(
        'select (select count(*) from edges where "left" is null or "right" is null),'
        " (select count(*) - count(distinct record) from touched)"
    ).fetchall()
    if lost or twice:
        what = f"{lost:,} edges name no record, and {twice:,} records are there twice"
        raise ContractError("identity", what, "pass every record that the edges speak of, once")


def _marks(contradictions: Contradictions) -> str:
    marks = [
        f"select id as record, '{kind}' as kind, {kind} as value from touched where {kind} is not null"
        for kind in KINDS
    ]
    if contradictions.others:
        kinds = ", ".join(f"'{kind}'" for kind in contradictions.others)
        others = "given_identifiers inner join touched using (record)"
        marks.append(f"select id, kind, value from {others} where kind in ({kinds})")
    return f"create or replace temp view marks as {' union all '.join(marks)}"


def _read(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    return connection.sql(query).to_arrow_table()


def _taken(connection: duckdb.DuckDBPyConnection, query: str, table: str) -> pa.Table:
    """The answer of a query over a temporary table that nothing else needs: the engine lets go of it."""
    found = _read(connection, query)
    connection.execute(f"drop table {table}")
    return found
