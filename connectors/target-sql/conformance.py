"""target-sql tried on a SQLite database: a table of its own, and columns of a table that others use too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from snello.kit.conformance.targets import Subject, starts

LACKS: dict[Any, str] = {
    "http": "a database does not speak HTTP; broken connections and deaths are in tests/connectors/test_target_sql_*",
    "answers_by_row": "it answers with errors, not with a list of rows",
    "says_json": "it does not speak JSON",
    "own_purpose": "a table serves any purpose",
    "authenticates": "a SQLite file asks for no password; PostgreSQL's and MariaDB's are in tests/connectors",
}
# What the table's owner would notice: every row that really changed.
NOTICED = """
create table noticed (op text, id text, name text, visits integer);
create trigger added after insert on {table} begin
    insert into noticed values ('in', new.{key}, new.name, new.visits); end;
create trigger changed after update on {table} begin
    insert into noticed values ('up', new.{key}, new.name, new.visits); end;
create trigger gone after delete on {table} begin
    insert into noticed values ('out', old.{key}, old.name, old.visits); end;
"""
OWN = """
create table loyal (customer_id text primary key, name text not null, visits integer check (visits < 1000));
"""
SHARED = """
create table people (no text primary key, born text, name text not null, visits integer check (visits < 1000));
insert into people values ('n1', '1970-01-01', 'theirs', 3);
"""


def _subject(tables: str, table: str, key: str, **config: Any) -> Iterator[Subject]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "crm.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(tables + NOTICED.format(table=table, key=key))

        def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
            with closing(sqlite3.connect(path)) as connection, connection:
                return connection.execute(statement, values).fetchall()

        def held() -> list[tuple[str, Any]]:
            rows = run(f"select {key}, name, visits from {table} where {key} like 'c%'")
            return [(no, {"name": name, "visits": visits}) for no, name, visits in rows]

        yield Subject(
            command="target_sql:main",
            url="",
            config=lambda _: {"url": f"sqlite:///{path}", "table": table, "key": key, "batch_size": 2, **config},
            terms={"purpose": "profiling", "channel": "any"},
            columns=lambda number, version: {"name": f"canary {number}.", "visits": version},
            held=held,
            shown=lambda row: {"name": row["name"], "visits": row["visits"]},
            effects=lambda: run("select * from noticed where id like 'c%'"),
            seed=lambda: run(f"insert into {table} ({key}, name) values ('x9', 'theirs')") and None,
            foreign=lambda: run(f"select * from {table} where {key} not like 'c%'"),
            lose=lambda number: run(f"delete from {table} where {key} = ?", number) and None,
            bad=(
                ({"name": "canary", "visits": 5_000}, "check"),
                ({"name": None, "visits": 1, "note": "canary"}, "not_null"),
            ),
        )


@starts(LACKS)
def own_table() -> Iterator[Subject]:
    """All columns, under their own names."""
    yield from _subject(OWN, "loyal", "customer_id")


@starts(LACKS)
def shared_table() -> Iterator[Subject]:
    """Two columns of a table that has others and rows of others."""
    yield from _subject(SHARED, "people", "no", columns={"name": "name", "visits": "visits"})
