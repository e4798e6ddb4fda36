"""Every type that tap-sql reads: both paths give the lake the same, and it is what the source holds."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snello.kit.sql.chunks import Outline
from snello.kit.sql.query import Range
from snello.kit.sql.rows import RowReader
from tap_sql import TapSql

ROME = ZoneInfo("Europe/Rome")

TYPES = {
    "yes": "boolean",
    "small": "smallint",
    "whole": "integer",
    "large": "bigint",
    "half": "real",
    "double": "double precision",
    "money": "numeric(12, 2)",
    "exact": "numeric",
    "name": "text",
    "code": "char(5)",
    "short": "varchar(8)",
    "born": "date",
    "seen": "timestamptz",
    "local": "timestamp",
    "at": "time",
    "id": "uuid",
    "photo": "bytea",
    "doc": "json",
    "facts": "jsonb",
    "tags": "text[]",
    "counts": "integer[]",
}

LAKE = {
    "yes": pa.bool_(),
    "small": pa.int64(),
    "whole": pa.int64(),
    "large": pa.int64(),
    "half": pa.float64(),
    "double": pa.float64(),
    "money": pa.decimal128(12, 2),
    "exact": pa.decimal128(38, 18),
    "born": pa.date32(),
    "seen": pa.timestamp("us", "UTC"),
    "local": pa.timestamp("us", "UTC"),
}

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31))

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "yes": st.booleans(),
    "small": st.integers(-(2**15), 2**15 - 1),
    "whole": st.integers(-(2**31), 2**31 - 1),
    "large": st.integers(-(2**63), 2**63 - 1),
    "half": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "money": st.decimals(-(10**10) + 1, 10**10 - 1, places=2, allow_nan=False),
    "exact": st.decimals(-(10**19), 10**19, places=18, allow_nan=False),
    "name": TEXT,
    "code": TEXT.map(lambda text: text[:5]),
    "short": TEXT.map(lambda text: text[:8]),
    "born": st.dates(),
    "seen": MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)),
    "local": MOMENTS,
    "at": st.times(),
    "id": st.uuids(),
    "photo": st.binary(max_size=12),
    "doc": JSON,
    "facts": JSON,
    "tags": st.lists(st.none() | TEXT, max_size=3),
    "counts": st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=3),
}
ROWS = st.lists(st.fixed_dictionaries({name: st.none() | value for name, value in VALUES.items()}), max_size=6)


def insert(url: str, rows: list[dict[str, Any]]) -> None:
    names = ", ".join(TYPES)
    holders = ", ".join(f"%s::{kind}" for kind in TYPES.values())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(b"truncate things restart identity")
        for row in rows:
            documents = {name: json.dumps(row[name]) for name in ("doc", "facts") if row[name] is not None}
            values = [documents.get(name, row[name]) for name in TYPES]
            connection.execute(f"insert into things ({names}) values ({holders})".encode(), values)


def expected(name: str, value: Any, text: str | None) -> Any:
    """What the lake is to hold for a value; ``text`` is how PostgreSQL writes it."""
    if value is None:
        return None
    if name in {"doc", "facts", "at", "code"}:
        return text
    if name in {"tags", "counts"}:
        return value
    if name == "photo":
        return base64.b64encode(value).decode()
    if name == "id":
        return str(value)
    if name == "local":
        return value.replace(tzinfo=ROME).astimezone(UTC)
    return value


@pytest.fixture(scope="module")
def things(postgres_server: str) -> Iterator[str]:
    """URL of a database with one table of every type."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("create database things")
    url = postgres_server.replace("/postgres?", "/things?")
    columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create table things (no serial primary key, {columns})".encode())
    yield url
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("drop database things with (force)")


@given(rows=ROWS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_paths_give_the_lake_what_the_source_holds(
    rows: list[dict[str, Any]], things: str, tap_sql: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    insert(things, rows)
    texts = ", ".join(f"{name}::{'bpchar' if name == 'code' else 'text'}" for name in TYPES)
    with psycopg.connect(things) as connection:
        written = connection.execute(f"select {texts} from things order by no".encode()).fetchall()
    config = {"url": things, "timezone": "Europe/Rome"}
    records = tap_sql(config).as_lake("things")
    assert [field.type for field in records.schema][1:] == [LAKE.get(name, pa.string()) for name in TYPES]
    found = records.to_pylist()
    for row in found:
        for name in ("tags", "counts"):
            row[name] = row[name] and json.loads(row[name])
    wanted = [
        {name: expected(name, row[name], text) for name, text in zip(TYPES, line, strict=True)}
        for row, line in zip(rows, written, strict=True)
    ]
    assert [{name: row[name] for name in TYPES} for row in found] == wanted
    if rows:
        batches = tap_sql.batched(config, tmp_path_factory.mktemp("batches")).as_lake("things")
        assert batches.equals(records)


@given(rows=ROWS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_fast_path_reads_what_sqlalchemy_reads(rows: list[dict[str, Any]], things: str) -> None:
    """PostgreSQL read as any other database: the two ways of making columns agree.

    Apart from JSON, which drivers parse and write again, and ``real``, whose shortest text psycopg takes for the value.
    """
    insert(things, rows)
    tap = TapSql(config={"url": things, "timezone": "Europe/Rome"})
    tap.source.engine = tap.source.engine.execution_options(isolation_level="READ COMMITTED")
    table = tap.streams["things"].table  # type: ignore[attr-defined]
    apart = {"doc", "facts", "tags", "counts", "at", "half"}
    columns = [column for column in table.columns if column.name not in apart]
    outline = Outline("things", columns, ("no",), ("no",))
    slow = list(RowReader(tap.source, ROME, 4).chunks(table, outline, Range(("no",)), 100))
    fast = list(tap.reader.chunks(table, outline, Range(("no",)), 100))
    assert [chunk.rows for chunk in slow] == [chunk.rows for chunk in fast]
    assert [chunk.after for chunk in slow] == [chunk.after for chunk in fast]


# ------------------------------------------------------------ values that no type of the lake holds

ODD = {
    "infinity": ("timestamptz", "'infinity'", "not a timestamp of the years 1 to 9999", "infinity"),
    "minus infinity": ("timestamp", "'-infinity'", "not a timestamp of the years 1 to 9999", "-infinity"),
    "infinite date": ("date", "'infinity'", "not a date of the years 1 to 9999", "infinity"),
    "year 12345": ("date", "'12345-01-01'", "not a date of the years 1 to 9999", "12345-01-01"),
    "before Christ": ("timestamp", "'0044-03-15 BC'", "not a timestamp of the years 1 to 9999", "-043-03-15T"),
    "NaN": ("numeric(8, 2)", "'NaN'", "does not fit decimal(8, 2)", "NaN"),
    "numeric infinity": ("numeric", "'Infinity'", "does not fit decimal(38, 18)", "Infinity"),
    "too many decimals": ("numeric", "1/3.0", "does not fit decimal(38, 18)", "0.33333333333333333333"),
    "too large": ("numeric(50, 2)", "10::numeric ^ 40", "does not fit decimal(38, 2)", "1" + "0" * 40 + ".00"),
    "float NaN": ("double precision", "'NaN'", "not a finite number", "nan"),
    "float infinity": ("real", "'-infinity'", "not a finite number", "-inf"),
}


@pytest.mark.parametrize(("kind", "value", "reason", "shown"), ODD.values(), ids=list(ODD))
def test_a_value_the_lake_cannot_hold_is_quarantined_and_not_changed(
    kind: str, value: str, reason: str, shown: str, postgres: str, tap_sql: Any, tmp_path: Path
) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"create table odd (no int primary key, v {kind})".encode())
        connection.execute(f"insert into odd values (1, null), (2, {value}), (3, null)".encode())
    first = tap_sql({"url": postgres})
    for ran in (first, tap_sql.batched({"url": postgres}, tmp_path)):
        assert ran.as_lake("odd").column("no").to_pylist() == [1, 3]
        (refused,) = ran.records("_quarantine")
        assert (refused["stream"], refused["position"]) == ("odd", "no=2")
        assert refused["reason"] == f"v: {reason}"
        assert json.loads(refused["record"])["v"].startswith(shown)
        assert refused["id"] == first.records("_quarantine")[0]["id"]
    text = tap_sql({"url": postgres, "as_text": ["odd.v"]}).as_lake("odd").to_pylist()
    assert [row["no"] for row in text] == [1, 2, 3]
    assert text[1]["v"]


def test_local_times_of_a_changing_clock(postgres: str, tap_sql: Any, tmp_path: Path) -> None:
    """A hour shown twice is the first one; a skipped one is counted on from the old offset."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("create table t (no int primary key, at timestamp)")
        connection.execute("insert into t values (1, '2026-10-25 02:30'), (2, '2026-03-29 02:30')")
        connection.execute("insert into t values (3, '2026-07-01 12:00')")
    config = {"url": postgres, "timezone": "Europe/Rome"}
    for ran in (tap_sql(config), tap_sql.batched(config, tmp_path)):
        assert ran.as_lake("t").column("at").to_pylist() == [
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
            datetime(2026, 7, 1, 10, 0, tzinfo=UTC),
        ]


def test_types_that_the_lake_does_not_know_come_as_text(postgres: str, tap_sql: Any, tmp_path: Path) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("create type mood as enum ('sad', 'glad')")
        connection.execute("create domain cap as char(7)")
        connection.execute("create domain price as numeric(6, 2)")
        connection.execute(
            "create table t (a inet, b interval, c mood, d cap, e price, f int4range, g timetz, h point, j bit(3))"
        )
        connection.execute(
            "insert into t values "
            "('10.0.0.1/8', '1 day 02:00', 'glad', 'IT', 9.9, '[1,3)', '10:00+02', '(1,2)', B'101')"
        )
    wanted = {
        "a": "10.0.0.1/8", "b": "P1DT2H", "c": "glad", "d": "IT     ", "e": Decimal("9.90"),
        "f": "[1,3)", "g": "10:00:00+02", "h": "(1,2)", "j": "101",
    }  # fmt: skip
    for ran in (tap_sql({"url": postgres}), tap_sql.batched({"url": postgres}, tmp_path)):
        assert ran.as_lake("t").to_pylist() == [wanted]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_text_of_databases_that_are_not_utf8(encoding: str, postgres_server: str, tap_sql: Any, tmp_path: Path) -> None:
    """Latin-1 is converted; where the server does not know what it holds, only what is UTF-8 passes."""
    name = f"old_{encoding.lower()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"create database {name} encoding '{encoding}' locale 'C' template template0".encode())
    url = postgres_server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"set client_encoding to '{encoding}'".encode())
        connection.execute("create table t (no int primary key, name text)")
        connection.execute("insert into t values (1, 'Nicolò')".encode("latin-1"))
        connection.execute("insert into t values (2, 'Anna')")
    try:
        for ran in (tap_sql({"url": url}), tap_sql.batched({"url": url}, tmp_path)):
            names = ran.as_lake("t").column("name").to_pylist()
            refused = [row["reason"] for row in ran.records("_quarantine")]
            if encoding == "LATIN1":
                assert (names, refused) == (["Nicolò", "Anna"], [])
            else:
                assert (names, refused) == (["Anna"], ["name: not UTF-8 text"])
    finally:
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)".encode())


# ------------------------------------------------------------ SQLite, where any column may hold anything

LOOSE = st.lists(
    st.fixed_dictionaries(
        {
            "n": st.none() | st.integers(-(2**63), 2**63 - 1),
            "r": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "d": st.none() | st.decimals(-(10**8), 10**8, places=2, allow_nan=False),
            "t": st.none() | TEXT,
            "b": st.none() | st.binary(max_size=9),
            "y": st.none() | st.booleans(),
            "on_": st.none() | st.dates(),
            "at": st.none() | MOMENTS,
            "zoned": st.none() | MOMENTS.map(lambda moment: moment.replace(tzinfo=timezone(timedelta(hours=2)))),
        }
    ),
    max_size=8,
)


@given(rows=LOOSE)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sqlite_gives_the_lake_what_it_holds(
    rows: list[dict[str, Any]], tap_sql: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("sqlite") / "t.db"
    connection = sqlite3.connect(path)
    connection.execute(
        "create table t (no integer primary key, n integer, r real, d numeric(12, 2), t text, b blob, y boolean, "
        "on_ date, at timestamp, zoned timestamp)"
    )
    for row in rows:
        values = [row[name] for name in ("n", "r", "d", "t", "b", "y", "on_", "at", "zoned")]
        values = [value if isinstance(value, int | float | bytes | None) else str(value) for value in values]
        connection.execute("insert into t values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.commit()
    connection.close()
    config = {"url": f"sqlite:///{path}", "timezone": "Europe/Rome", "batch_rows": 3}
    records = tap_sql(config).as_lake("t")
    wanted = [
        row
        | {
            "b": None if row["b"] is None else base64.b64encode(row["b"]).decode(),
            "at": row["at"] and row["at"].replace(tzinfo=ROME).astimezone(UTC),
            "zoned": row["zoned"] and row["zoned"].astimezone(UTC),
        }
        for row in rows
    ]
    assert records.drop_columns(["no"]).to_pylist() == wanted
    if rows:
        assert tap_sql.batched(config, path.parent / "batches").as_lake("t").equals(records)


LOOSE_VALUES: dict[str, tuple[str, str, str | None, Any]] = {
    "text in an integer": ("integer", "'many'", "not an integer of 64 bits", None),
    "half in an integer": ("integer", "1.5", "not an integer of 64 bits", None),
    "text in a boolean": ("boolean", "'maybe'", "not a boolean", None),
    "two in a boolean": ("boolean", "2", "not a boolean", None),
    "no date": ("date", "'0000-00-00'", "not a date of the years 1 to 9999", None),
    "time of day in a date": ("date", "'2026-01-02 10:00:00'", "not a date of the years 1 to 9999", None),
    "midnight in a date": ("date", "'2026-01-02 00:00:00'", None, date(2026, 1, 2)),
    "seconds in a timestamp": ("timestamp", "1767225600", "not a timestamp of the years 1 to 9999", None),
    "infinite real": ("real", "9e999", "not a finite number", None),
    "text in a decimal": ("numeric(6, 2)", "'9,99'", "does not fit decimal(6, 2)", None),
    "too many decimals": ("numeric(6, 2)", "9.999", "does not fit decimal(6, 2)", None),
    "noise of floats": ("numeric(6, 2)", "0.1 + 0.2", None, Decimal("0.30")),
    "latin-1": ("text", "cast(x'e0' as text)", "not UTF-8 text", None),
    "blob in a text": ("text", "x'ff'", "not UTF-8 text", None),
    "a type of its own": ("colour", "'red'", None, "red"),
    "no type": ("", "5", None, "5"),
    "time": ("time", "'10:00'", None, "10:00"),
}


@pytest.mark.parametrize(("kind", "value", "reason", "held"), LOOSE_VALUES.values(), ids=list(LOOSE_VALUES))
def test_a_value_that_is_not_of_its_columns_type(
    kind: str, value: str, reason: str | None, held: Any, tap_sql: Any, tmp_path: Path
) -> None:
    connection = sqlite3.connect(tmp_path / "t.db")
    connection.execute(f"create table t (no integer primary key, v {kind})")
    connection.execute(f"insert into t values (1, {value}), (2, null)")
    connection.commit()
    connection.close()
    config = {"url": f"sqlite:///{tmp_path}/t.db"}
    for ran in (tap_sql(config), tap_sql.batched(config, tmp_path / "batches")):
        rows = ran.as_lake("t").to_pylist()
        assert [row["reason"] for row in ran.records("_quarantine")] == ([f"v: {reason}"] if reason else [])
        assert rows == ([] if reason else [{"no": 1, "v": held}]) + [{"no": 2, "v": None}]
