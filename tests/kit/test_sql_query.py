"""Statements that read in key order: in every dialect, and nothing lost between pages."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite

from snello.kit.sql import Settings
from snello.kit.sql.chunks import Outline
from snello.kit.sql.postgres import _where
from snello.kit.sql.query import Range, Writer
from snello.kit.sql.rows import RowReader
from snello.kit.sql.source import Source
from snello.kit.sql.tables import Name, Table, describe
from snello.kit.sql.types import column

COLUMNS = (
    column("at", sa.TIMESTAMP(), dialect="mysql", nullable=True),
    column("id", sa.INTEGER(), dialect="mysql", nullable=False),
    column("place", sa.types.NullType(), dialect="mysql", nullable=True),
)
VISITS = Table(Name("shop", "visits"), COLUMNS, ("id",), None, {})
DIALECTS: list[Any] = [mssql.dialect(), mysql.dialect(), oracle.dialect(), postgresql.dialect(), sqlite.dialect()]


def writer_of(dialect: str) -> Writer:
    source: Any = type("Fake", (), {"dialect": dialect})()
    return RowReader(source, ZoneInfo("UTC"), 10).writer


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_every_dialect_can_write_every_range(dialect: Any) -> None:
    rows = Range(("at", "id"), after=("2026-01-01T00:00:00", 7), until="2026-02-01T00:00:00")
    writer = writer_of(dialect.name)
    text = str(writer.select(VISITS, COLUMNS, rows).limit(10).compile(dialect=dialect)).lower()
    assert " or " in text
    assert text.index("where") < text.index("order by")
    assert "cast" in text  # the type that nobody knows is read as text
    missing = str(writer.select(VISITS, COLUMNS, Range(missing=("at",))).compile(dialect=dialect)).lower()
    assert "is null" in missing
    assert "order by" not in missing
    assert "max(" in str(writer.highest(VISITS, "at").compile(dialect=dialect)).lower()


def test_nothing_of_postgresql_is_in_the_common_statement() -> None:
    """One row comparison, one ``::`` or one ``nulls first`` would shut other databases out."""
    rows = Range(("at", "id"), after=("2026-01-01T00:00:00", 7))
    text = str(writer_of("mysql").select(VISITS, COLUMNS, rows).compile(dialect=mysql.dialect())).lower()
    for word in ("::", "nulls", "), (", "copy"):
        assert word not in text


ROWS = st.lists(
    st.tuples(st.none() | st.integers(0, 4), st.sampled_from("aBàb"), st.integers(0, 3)),
    unique_by=lambda row: row[1:],
    max_size=16,
)


@given(rows=ROWS, page=st.integers(1, 5), keyed=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_are_the_table_in_order_whatever_the_ties(
    rows: list[tuple[Any, ...]], page: int, keyed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("pages") / "t.db"
    connection = sqlite3.connect(path)
    connection.execute("create table t (at integer, shop text, no integer, primary key (shop, no))")
    connection.executemany("insert into t values (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    source = Source(f"sqlite:///{path}", "tap")
    [table] = describe(source, [Name(None, "t")], Settings(url=f"sqlite:///{path}"))
    order = ("at", "shop", "no") if keyed else ("shop", "no")
    outline = Outline("t", table.columns, order, ("shop", "no"))
    reader = RowReader(source, ZoneInfo("UTC"), page)
    chunks = list(reader.chunks(table, outline, Range(order), 3))
    read = [tuple(row.values()) for chunk in chunks for row in chunk.rows.to_pylist()]
    wanted = [row for row in rows if not keyed or row[0] is not None]
    assert read == sorted(wanted, key=lambda row: row if keyed else row[1:])
    if keyed:
        missing = reader.chunks(table, outline, Range(missing=("at",)), 3)
        assert sum(chunk.rows.num_rows for chunk in missing) == len(rows) - len(wanted)


def test_a_page_whose_key_does_not_move_on_is_a_fault_and_no_loop(tmp_path: Path) -> None:
    """As with times finer than a microsecond, which a driver cuts off."""
    path = tmp_path / "t.db"
    connection = sqlite3.connect(path)
    connection.execute("create table t (id integer primary key)")
    connection.execute("insert into t values (1), (2)")
    connection.commit()
    connection.close()
    source = Source(f"sqlite:///{path}", "tap")
    [table] = describe(source, [Name(None, "t")], Settings(url=f"sqlite:///{path}"))
    reader = RowReader(source, ZoneInfo("UTC"), 1)
    reader.writer = Writer(lambda _column, expression: expression, lambda _column, _value: sa.literal(0))
    outline = Outline("t", table.columns, ("id",), ("id",))
    with pytest.raises(Exception, match="tap: t: the key id is finer than its values show"):
        list(reader.chunks(table, outline, Range(("id",)), 1))


@pytest.mark.parametrize("password", ["a/b@c:d%e?f#g h", "ò'\"\\"])
def test_the_fast_path_logs_in_with_any_password(password: str) -> None:
    url = sa.URL.create("postgresql", "user@firm", password, "db.example", 5432, "c%rm", {"sslmode": "require"})
    given_ = conninfo_to_dict(_where(Source(url.render_as_string(hide_password=False), "tap")))
    assert (given_["user"], given_["password"], given_["dbname"]) == ("user@firm", password, "c%rm")
    assert (given_["host"], given_["sslmode"], given_["connect_timeout"]) == ("db.example", "require", "10")
