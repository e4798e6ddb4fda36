"""Deletions found by comparing keys: a row that is gone is told once, and absence alone tells nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.servers.mariadb import mariadb, mariadb_server

from snello.errors import ConfigError, RowsRefused
from snello.kit.sql.rows import RowReader
from tap_sql import TapSql

__all__ = ["mariadb", "mariadb_server"]

PEOPLE = "create table people (id int primary key, name text, updated_at timestamp)"
INCREMENTAL = {"*": {"key": "updated_at"}}


class Shop:
    """A table of people, read again and again with the state and memory that the runs before left."""

    def __init__(self, url: str, execute: Callable[[str], None], folder: Path, read: Any, **config: Any) -> None:
        self.execute, self.folder, self.read = execute, folder, read
        self.config = {"url": url, "deletes": ["people"], "memory": str(folder / "memory"), "overlap": 0} | config
        self.state: dict[str, Any] = {}
        self.lake: dict[Any, dict[str, Any]] = {}

    def run(self, *, batches: bool = False, **config: Any) -> Any:
        given = self.config | config
        read = partial(self.read.batched, folder=self.folder / "b") if batches else self.read
        ran = read(given, state=self.state)
        self.state = ran.state
        rows = ran.as_lake("people").to_pylist()
        self.lake |= {row["id"]: row for row in rows}
        return rows

    def living(self) -> set[Any]:
        return {key for key, row in self.lake.items() if row["_deleted_at"] is None}


def gone(rows: list[dict[str, Any]]) -> list[Any]:
    return sorted(row["id"] for row in rows if row["_deleted_at"] is not None)


def met(rows: list[dict[str, Any]]) -> list[Any]:
    return sorted(row["id"] for row in rows if row["_deleted_at"] is None)


@pytest.fixture(params=["postgres", "mariadb", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, tap_sql: Any) -> Shop:
    if request.param == "postgres":
        url = request.getfixturevalue("postgres")
        execute = lambda text: _postgres(url, text)  # noqa: E731
    elif request.param == "mariadb":
        url = request.getfixturevalue("mariadb")
        server = request.getfixturevalue("mariadb_server")
        execute = partial(server.run, database=url.rpartition("/")[2])
    else:
        url = f"sqlite:///{tmp_path}/shop.db"
        execute = lambda text: _sqlite(tmp_path / "shop.db", text)  # noqa: E731
    made = Shop(url, execute, tmp_path, tap_sql)
    made.execute(PEOPLE)
    made.execute(
        "insert into people values " + ", ".join(f"({i}, 'n{i}', '2026-01-0{i} 10:00:00')" for i in range(1, 7))
    )
    return made


def _postgres(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text.encode())


def _sqlite(path: Path, text: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(text)
    connection.close()


@pytest.mark.parametrize("batches", [False, True], ids=["RECORD", "BATCH"])
@pytest.mark.parametrize("replication", [{}, INCREMENTAL], ids=["whole", "changes"])
def test_a_deleted_row_is_told_once_with_its_key_and_nothing_else(
    shop: Shop, replication: dict[str, Any], batches: bool
) -> None:
    shop.config["replication"] = replication
    first = shop.run(batches=batches)
    assert (met(first), gone(first)) == ([1, 2, 3, 4, 5, 6], [])
    shop.execute("delete from people where id in (2, 5)")
    before = datetime.now(UTC)
    second = shop.run(batches=batches)
    assert gone(second) == [2, 5]
    [tombstone] = [row for row in second if row["id"] == 2]
    moment = tombstone["_deleted_at"]
    assert before <= moment <= datetime.now(UTC)
    assert tombstone == {"id": 2, "name": None, "updated_at": None, "_deleted_at": moment}
    assert gone(shop.run(batches=batches)) == []
    assert shop.living() == {1, 3, 4, 6}


@pytest.mark.parametrize("replication", [{}, INCREMENTAL], ids=["whole", "changes"])
def test_a_key_that_comes_back_with_an_old_date_is_living_again(shop: Shop, replication: dict[str, Any]) -> None:
    shop.config["replication"] = replication
    shop.run()
    shop.execute("delete from people where id = 2")
    shop.run()
    shop.execute("insert into people values (2, 'back', '2020-01-01 00:00:00'), (7, 'old', '2020-01-01 00:00:00')")
    rows = shop.run()
    assert [row["name"] for row in rows if row["id"] in (2, 7)] == ["back", "old"]
    assert shop.living() == {1, 2, 3, 4, 5, 6, 7}
    if replication:
        assert shop.state["bookmarks"]["people"]["replication_key_value"].startswith("2026-01-06")


def test_the_column_is_in_the_schema_of_such_a_stream_and_of_no_other(shop: Shop, tap_sql: Any) -> None:
    shop.execute("create table orders (id int primary key)")
    ran = tap_sql(shop.config)
    assert ran.schema("people")["properties"]["_deleted_at"]["format"] == "date-time"
    assert "_deleted_at" not in ran.schema("orders")["properties"]
    catalog = tap_sql.catalog(shop.config)
    again = tap_sql(shop.config, catalog=catalog)
    assert again.records("people")[0]["_deleted_at"] is None
    without = tap_sql({"url": shop.config["url"]}, catalog=catalog)
    assert "_deleted_at" not in without.records("people")[0]


def test_stream_maps_see_tombstones_as_any_record(shop: Shop, tap_sql: Any) -> None:
    shop.config["stream_maps"] = {"people": {"name": None}}
    first = tap_sql(shop.config)
    shop.execute("delete from people where id = 1")
    second = tap_sql(shop.config, state=first.state)
    [tombstone] = [row for row in second.records("people") if row["_deleted_at"]]
    assert tombstone["id"] == 1
    assert "name" not in tombstone


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("delete from people", "tap-sql: people: the table is suddenly empty, so no deletion is told."),
        (
            "delete from people where id > 2",
            "tap-sql: people: 4 of 6 rows are gone, more than deletes_at_most allows (0.5), so no deletion is told.",
        ),
    ],
    ids=["empty", "most"],
)
def test_a_table_that_lost_more_than_agreed_tells_no_deletion_until_it_is_meant(
    shop: Shop, statement: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop.run()
    shop.execute(statement)
    for _ in range(2):
        caplog.clear()
        assert gone(shop.run()) == []
        assert words in caplog.text
    left = {1, 2} if "where" in statement else set()
    assert set(gone(shop.run(deletes_at_most=1))) == {1, 2, 3, 4, 5, 6} - left
    assert shop.living() == left


def test_a_doubt_fails_the_run_when_asked(shop: Shop) -> None:
    shop.run()
    shop.execute("delete from people")
    with pytest.raises(RowsRefused, match="people: too many rows were gone to tell them as deleted"):
        shop.run(fail_on_refused=True)


def test_a_lost_memory_tells_no_deletion_and_says_so(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.run()
    shop.execute("delete from people where id = 1")
    for path in (shop.folder / "memory").rglob("*.parquet"):
        path.unlink()
    assert gone(shop.run()) == []
    assert "memory: people: the last reading is gone; everything counts as new" in caplog.text
    shop.execute("delete from people where id = 2")
    assert gone(shop.run()) == [2]


def test_a_state_that_is_set_back_compares_with_what_it_speaks_of(shop: Shop) -> None:
    shop.run()
    old = shop.state
    shop.execute("delete from people where id = 1")
    assert gone(shop.run()) == [1]
    shop.state = old
    assert gone(shop.run()) == [1]


def test_a_row_that_was_sent_and_then_deleted_within_one_run_is_told(shop: Shop, tap_sql: Any) -> None:
    tap = TapSql(config=shop.config)
    stream: Any = tap.streams["people"]
    chunks = stream._chunks(1_000)
    rows = [next(chunks)[1].rows]
    shop.execute("delete from people where id = 6")
    rows += [chunk.rows for _, chunk in chunks]
    found = [row for table in rows for row in table.to_pylist()]
    assert len(met(found)) == 6
    assert gone(found) == [6]


def test_a_listing_that_does_not_agree_with_the_count_tells_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shop.run()
    shop.execute("delete from people where id = 1")
    reader = type(TapSql(config=shop.config).reader)
    with monkeypatch.context() as patch:
        patch.setattr(reader, "count", lambda *_: 6)
        assert gone(shop.run()) == []
    assert "5 keys were listed of 6 rows, so no deletion is told. Next: run again." in caplog.text
    assert gone(shop.run()) == [1]


def test_ignored_tables_and_tables_without_keys_are_not_compared(shop: Shop, tap_sql: Any) -> None:
    shop.execute("create table log (line text)")
    ran = tap_sql(shop.config | {"deletes": {"peo*": "ignore", "*": "compare"}})
    for stream in ("people", "log"):
        assert "_deleted_at" not in ran.schema(stream)["properties"]


def test_a_table_that_cannot_be_compared_is_refused_with_a_cure(shop: Shop, tap_sql: Any) -> None:
    shop.execute("create table log (line text)")
    shop.execute("create table old (id int primary key, _deleted_at timestamp)")
    with pytest.raises(
        ConfigError, match=r"tap-sql: log: deletes compares keys.* Next: name its key columns in primary"
    ):
        tap_sql(shop.config | {"deletes": ["log"]})
    with pytest.raises(ConfigError, match=r"tap-sql: old: the table has a column _deleted_at of its own"):
        tap_sql(shop.config | {"deletes": {"old": "compare"}})


def test_memory_holds_a_few_generations_and_no_more(shop: Shop) -> None:
    for _ in range(6):
        shop.run()
    assert len(list((shop.folder / "memory").rglob("*.parquet"))) <= 4
    assert list((shop.folder / "memory").rglob("*.part")) == []


KEYS: dict[str, str] = {
    "bigint": "(1), (-9223372036854775808)",
    "text": "('a'), ('è \"q\" \\ '), ('')",
    "char(4)": "('ab'), ('abcd')",
    "numeric(12, 2)": "(1.10), (-0.05)",
    "date": "('2026-01-01'), ('0001-01-01')",
    "timestamptz": "('2026-01-01 00:00:00.123456+02')",
    "timestamp": "('2026-07-01 12:00')",
    "uuid": "('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')",
    "bytea": "('\\x00ff')",
    "boolean": "(true), (false)",
    "double precision": "(1.5), (1e300)",
    "time": "('10:00')",
    "inet": "('10.0.0.1')",
}


@pytest.mark.parametrize(("kind", "values"), KEYS.items(), ids=list(KEYS))
def test_a_tombstone_has_the_key_that_the_row_had(
    kind: str, values: str, postgres: str, tap_sql: Any, tmp_path: Path
) -> None:
    _postgres(postgres, f"create table t (k {kind}, n int, primary key (k, n))")
    _postgres(
        postgres, f"insert into t select k, 1 from (values {values}) v(k)".replace("select k", f"select k::{kind}")
    )
    config = {"url": postgres, "deletes": ["t"], "memory": str(tmp_path / "m"), "timezone": "Europe/Rome"}
    first = tap_sql(config | {"deletes_at_most": 1})
    _postgres(postgres, "delete from t")
    second = tap_sql(config | {"deletes_at_most": 1}, state=first.state)
    keys = first.as_lake("t").select(["k", "n"]).sort_by("k")
    assert second.as_lake("t").select(["k", "n"]).sort_by("k").equals(keys)


STEPS = st.lists(st.tuples(st.sampled_from(["insert", "delete", "run", "kill"]), st.integers(1, 8)), max_size=14)


@given(steps=STEPS, replication=st.sampled_from([{}, INCREMENTAL]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_history_the_lake_holds_as_living_what_the_table_holds(
    steps: list[tuple[str, int]], replication: dict[str, Any], tap_sql: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("history")
    shop = Shop(f"sqlite:///{folder}/s.db", lambda text: _sqlite(folder / "s.db", text), folder, tap_sql)
    shop.config |= {"replication": replication, "deletes_at_most": 1}
    shop.execute(PEOPLE)
    held: set[int] = set()
    for step, number in steps:
        if step == "insert":
            shop.execute(f"insert or replace into people values ({number}, 'n', '2026-01-0{number} 00:00:00')")
            held.add(number)
        elif step == "delete":
            shop.execute(f"delete from people where id = {number}")
            held.discard(number)
        else:
            kept = shop.state, dict(shop.lake)
            shop.run()
            if step == "kill":  # the loader died before it committed
                shop.state, shop.lake = kept
    shop.run()
    assert shop.living() == held


def test_other_databases_read_keys_in_one_statement(shop: Shop) -> None:
    """What is read in pages may miss or meet a key twice while rows are written."""
    tap = TapSql(config=shop.config)
    stream: Any = tap.streams["people"]
    if isinstance(tap.reader, RowReader):
        tap.reader.page = 2
    list(stream._chunks(1_000))
    statements: list[str] = []
    reader: Any = tap.reader
    write = reader.writer.select
    object.__setattr__(reader.writer, "select", lambda *given: statements.append("x") or write(*given))
    stream.deletions._listed()
    assert len(statements) == 1
