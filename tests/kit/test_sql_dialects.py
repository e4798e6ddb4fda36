"""The SQL of every dialect, as it is written in ``sql_dialects/``: what no server runs here is at least read by eyes.

python tests/kit/test_sql_dialects.py        write the files again, then look at what changed
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite

from snello.kit.sql.query import Range
from snello.kit.sql.rows import RowReader
from snello.kit.sql.tables import Name, Table
from snello.kit.sql.types import Column, column

FOLDER = Path(__file__).with_name("sql_dialects")
MOMENT, LATER = "2026-01-31T10:00:00.123456", "2026-02-28T00:00:00"

TIMES: dict[str, Any] = {
    "mssql": mssql.DATETIME2(6),
    "oracle": oracle.TIMESTAMP(),
    "mysql": mysql.DATETIME(fsp=6),
    "postgresql": postgresql.TIMESTAMP(),
    "sqlite": sqlite.DATETIME(),
    "db2": sa.TIMESTAMP(),
}


def dialect_of(name: str) -> Any:
    if name == "db2":
        found = pytest.importorskip(
            "ibm_db_sa.ibm_db", reason="Db2's dialect is not installed. Next: install ibm_db_sa"
        )
        return found.DB2Dialect_ibm_db()
    modules: dict[str, Any] = {
        "mssql": mssql, "oracle": oracle, "mysql": mysql, "postgresql": postgresql, "sqlite": sqlite,
    }  # fmt: skip
    return modules[name].dialect()


def visits(name: str) -> Table:
    def made(called: str, type_: Any, *, nullable: bool = True) -> Column:
        return column(called, type_, dialect=name, nullable=nullable)

    columns = (
        made("shop", sa.VARCHAR(20), nullable=False),
        made("no", sa.BIGINT(), nullable=False),
        made("changed at", TIMES[name]),
        made("price", sa.NUMERIC(12, 2)),
        made("rate", sa.FLOAT()),
        made("place", sa.types.NullType()),
        *((made("mood", mysql.ENUM("b", "a")), made("open", mysql.TIME())) if name == "mysql" else ()),
    )
    return Table(Name("sales", "Visits"), columns, ("shop", "no"), None, {})


def statements(name: str) -> Iterator[tuple[str, sa.Select[Any]]]:
    table = visits(name)
    source: Any = type("Fake", (), {"dialect": name})()
    writer = RowReader(source, ZoneInfo("UTC"), 10).writer
    keys, changes = ("shop", "no"), ("changed at", "shop", "no")
    key_columns = [table.column(key) for key in keys]
    yield "first page", writer.select(table, table.columns, Range(keys)).limit(500)
    yield "page behind a key", writer.select(table, table.columns, Range(keys, after=("Rome", 7))).limit(500)
    since = Range(changes, since=MOMENT, until=LATER)
    yield "changes, first page", writer.select(table, table.columns, since).limit(500)
    behind = Range(changes, after=(MOMENT, "Rome", 7), until=LATER)
    yield "changes, page behind a key", writer.select(table, table.columns, behind).limit(500)
    yield "rows without a change date", writer.select(table, key_columns, Range(missing=("changed at",)))
    yield "highest change date", writer.highest(table, "changed at")
    yield "bounds of a key", writer.bounds(table, Range(("no",)))
    yield "bounds of the changes", writer.bounds(table, since)
    yield "one part of a key", writer.select(table, key_columns, Range(("no",), since=100, below=200)).limit(500)
    yield "all keys", writer.select(table, key_columns, Range())
    yield "rows by key", writer.named(table, key_columns, keys, [["Rome", 7], ["Turin", 8]])
    yield "count", writer.count(table)
    if name == "mysql":
        yield "page behind an enum", writer.select(table, key_columns, Range(("mood",), after=("a",))).limit(500)


def rendered(name: str) -> str:
    dialect, parts = dialect_of(name), []
    for title, statement in statements(name):
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        given = "".join(f"\n--   {key} = {value!r}" for key, value in compiled.params.items())
        parts.append(f"-- {title}{given}\n{compiled}\n".replace(" \n", "\n"))
    return "\n".join(parts)


@pytest.mark.parametrize("name", sorted(TIMES))
def test_the_statements_of_a_dialect_are_those_that_were_looked_at(name: str) -> None:
    assert rendered(name) == (FOLDER / f"{name}.sql").read_text()


def test_there_is_a_file_for_every_dialect_and_no_other() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(TIMES)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in TIMES:
        (FOLDER / f"{each}.sql").write_text(rendered(each))
