"""tap-sql over real databases: what it discovers, what it reads, and where it goes on."""

from __future__ import annotations

import atexit
import logging
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from snello.errors import RowsRefused
from snello.kit.sql.chunks import CHUNK_BYTES
from tap_sql import TapSql

SHOP = """
create table orders (
    order_no integer primary key, customer text, amount numeric(10, 2), paid boolean,
    ordered_on date, updated_at timestamp, note blob
);
insert into orders values
    (1, 'Anna', 19.99, 1, '2026-01-02', '2026-01-02 10:00:00', x'00ff'),
    (2, 'Bruno', 5, 0, '2026-01-03', '2026-01-03 11:30:00.5', null),
    (3, null, null, null, null, '2026-01-03 11:30:00.5', null);
create view paid_orders as select order_no, amount from orders where paid;
"""


def sqlite_at(path: Path, script: str) -> str:
    """URL of a SQLite file after a script."""
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    return f"sqlite:///{path}"


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def shop(tmp_path: Path) -> str:
    return sqlite_at(tmp_path / "shop.db", SHOP)


def stream_of(catalog: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in catalog["streams"] if each["tap_stream_id"] == name)


def mark(catalog: dict[str, Any], stream: str, column: str | None, selected: bool) -> None:
    """Select or deselect in a catalog, as Meltano does."""
    place = ["properties", column] if column else []
    metadata = stream_of(catalog, stream)["metadata"]
    next(each for each in metadata if each["breadcrumb"] == place)["metadata"]["selected"] = selected


# ------------------------------------------------------------ the SDK's own suite

FOLDER = Path(tempfile.mkdtemp())
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

Suite = get_tap_test_class(
    TapSql,
    config={"url": sqlite_at(FOLDER / "suite.db", SHOP)},
    parse_env_config=False,
    suite_config=SuiteConfig(ignore_no_records_for_streams=["_quarantine"]),
)


class TestSdkSuite(Suite):  # type: ignore[misc, valid-type]
    """The standard tests of taps, over a table and a view."""


# ------------------------------------------------------------ discovery


def test_discovery_tells_keys_views_types_and_comments(postgres: str, tap_sql: Any) -> None:
    execute(
        postgres,
        "create table people (id bigint primary key, name varchar(40), weight numeric(5, 2), tags text[])",
        "comment on table people is 'One row a person.'",
        "comment on column people.name is 'As on the card.'",
        "create view adults as select id from people",
        "create materialized view totals as select count(*) as n from people",
    )
    catalog = tap_sql.catalog({"url": postgres})
    people, adults = stream_of(catalog, "people"), stream_of(catalog, "adults")
    assert people["key_properties"] == ["id"]
    assert people["is_view"] is False
    assert (adults["key_properties"], adults["is_view"]) == ([], True)
    assert stream_of(catalog, "totals")["is_view"] is True
    assert people["schema"]["description"] == "One row a person."
    properties = people["schema"]["properties"]
    assert properties["name"]["description"] == "As on the card."
    assert properties["id"]["type"] == ["integer", "null"]
    assert properties["weight"]["format"] == "singer.decimal"
    assert properties["tags"]["contentMediaType"] == "application/json"


def test_parts_of_a_partitioned_table_are_not_streams_of_their_own(postgres: str, tap_sql: Any) -> None:
    execute(
        postgres,
        "create table visits (id int, at date, primary key (id, at)) partition by range (at)",
        "create table visits_2026 partition of visits for values from ('2026-01-01') to ('2027-01-01')",
        "insert into visits values (1, '2026-05-05')",
    )
    ran = tap_sql({"url": postgres})
    assert {each["stream"] for each in ran.of("SCHEMA")} == {"_quarantine", "visits"}
    assert ran.records("visits") == [{"id": 1, "at": "2026-05-05"}]


def test_streams_of_two_schemas_carry_the_schema_when_asked(postgres: str, tap_sql: Any) -> None:
    execute(postgres, "create schema sales", "create table t (id int primary key)", "create table sales.t (id int)")
    catalog = tap_sql.catalog({"url": postgres, "schemas": ["public", "sales"], "stream_name": "schema-table"})
    assert {each["tap_stream_id"] for each in catalog["streams"]} == {"_quarantine", "public-t", "sales-t"}


def test_patterns_choose_tables(shop: str, tap_sql: Any) -> None:
    catalog = tap_sql.catalog({"url": shop, "tables": ["paid_*"]})
    assert {each["tap_stream_id"] for each in catalog["streams"]} == {"_quarantine", "paid_orders"}


def test_the_session_cannot_write(postgres: str, shop: str) -> None:
    for url, word in ((postgres, "read-only"), (shop, "readonly")):
        source = TapSql(config={"url": url}).source
        with (
            pytest.raises(Exception, match=word),
            source.engine.connect() as connection,
        ):
            connection.exec_driver_sql("create table mine (id int)")


# ------------------------------------------------------------ selection


def test_deselected_columns_are_not_read(postgres: str, tap_sql: Any, tmp_path: Path) -> None:
    execute(
        postgres,
        "create table people (id int primary key, name text, secret text)",
        "insert into people values (1, 'Anna', 'x')",
        "create role clerk login",
        "grant select (id, name) on people to clerk",  # reading `secret` would be refused
    )
    config = {"url": postgres.replace("postgres@", "clerk@")}
    catalog = tap_sql.catalog(config)
    mark(catalog, "people", "secret", False)
    try:
        for ran in (tap_sql(config, catalog=catalog), tap_sql.batched(config, tmp_path, catalog=catalog)):
            assert ran.as_lake("people").to_pylist() == [{"id": 1, "name": "Anna"}]
    finally:
        execute(postgres, "drop owned by clerk", "drop role clerk")


def test_a_deselected_stream_is_not_read_and_the_quarantine_always_is(shop: str, tap_sql: Any) -> None:
    catalog = tap_sql.catalog({"url": shop})
    for stream in ("orders", "_quarantine"):
        mark(catalog, stream, None, False)
    ran = tap_sql({"url": shop}, catalog=catalog)
    assert {each["stream"] for each in ran.of("SCHEMA")} == {"_quarantine", "paid_orders"}


def test_a_column_newer_than_the_catalog_is_read_and_told(
    shop: str, tap_sql: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = tap_sql.catalog({"url": shop})
    sqlite_at(tmp_path / "shop.db", "alter table orders add column shop text default 'Verona'")
    with caplog.at_level(logging.INFO):
        ran = tap_sql({"url": shop}, catalog=catalog)
    assert ran.records("orders")[0]["shop"] == "Verona"
    assert "tap-sql: orders: new columns, read from now on: shop" in caplog.text


def test_a_selection_that_leaves_columns_out_keeps_new_ones_out(
    shop: str, tap_sql: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = tap_sql.catalog({"url": shop})
    mark(catalog, "orders", "note", False)
    sqlite_at(tmp_path / "shop.db", "alter table orders add column shop text default 'Verona'")
    ran = tap_sql({"url": shop}, catalog=catalog)
    assert "shop" not in ran.records("orders")[0]
    assert "new columns, not read because the catalog leaves columns out: shop" in caplog.text


def test_stream_maps_apply_although_batches_are_configured(shop: str, tap_sql: Any, tmp_path: Path) -> None:
    config = {"url": shop, "tables": ["orders"], "stream_maps": {"orders": {"customer": None}}}
    ran = tap_sql.batched(config, tmp_path)
    assert ran.of("BATCH") == []
    assert "customer" not in ran.records("orders")[0]


# ------------------------------------------------------------ incremental

INCREMENTAL = {"*": {"method": "INCREMENTAL", "key": "updated_at"}}


def changes(url: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "tables": ["orders"], "replication": INCREMENTAL, "overlap": 0} | more


def ids(rows: list[dict[str, Any]], key: str = "order_no") -> list[Any]:
    return [row[key] for row in rows]


def test_the_next_run_reads_what_changed_and_the_ties_of_the_bookmark(shop: str, tap_sql: Any, tmp_path: Path) -> None:
    first = tap_sql(changes(shop))
    assert first.bookmark("orders") == {
        "replication_key": "updated_at",
        "replication_key_value": "2026-01-03 11:30:00.5",
    }
    sqlite_at(
        tmp_path / "shop.db",
        """
        update orders set updated_at = '2026-01-04 08:00:00' where order_no = 1;
        insert into orders (order_no, updated_at) values (0, '2026-01-03 11:30:00.5');  -- committed late, same time
        """,
    )
    second = tap_sql(changes(shop), state=first.state)
    assert ids(second.records("orders")) == [0, 2, 3, 1]


def test_an_unchanged_table_leaves_the_bookmark_where_it_is(postgres: str, tap_sql: Any) -> None:
    execute(
        postgres,
        "create table orders (order_no int primary key, updated_at timestamptz)",
        "insert into orders select i, '2026-01-01'::timestamptz + i * interval '1 minute' from generate_series(1, 9) i",
    )
    first = tap_sql(changes(postgres))
    second = tap_sql(changes(postgres), state=first.state)
    assert second.state == first.state
    assert ids(second.records("orders")) == [9]


def test_rows_committed_late_within_the_overlap_are_read(postgres: str, tap_sql: Any) -> None:
    execute(
        postgres,
        "create table orders (order_no int primary key, updated_at timestamptz)",
        "insert into orders values (1, '2026-01-01 10:00'), (2, '2026-01-01 11:00')",
    )
    config = changes(postgres, overlap=60)
    first = tap_sql(config)
    execute(postgres, "insert into orders values (3, '2026-01-01 10:59:30'), (4, '2026-01-01 10:58')")
    second = tap_sql(config, state=first.state)
    assert ids(second.records("orders")) == [3, 2]


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date"])
def test_a_row_dated_in_the_future_does_not_hide_later_changes(kind: str, postgres: str, tap_sql: Any) -> None:
    execute(
        postgres,
        f"create table orders (order_no int primary key, updated_at {kind})",
        "insert into orders values (1, '2026-01-01'), (2, '2999-01-01'), (3, 'infinity')",
    )
    first = tap_sql(changes(postgres))
    assert ids(first.records("orders")) == [1, 2]
    assert first.bookmark("orders")["replication_key_value"] < "2999"
    execute(postgres, "insert into orders values (4, now() + interval '2 days')")
    second = tap_sql(changes(postgres), state=first.state)
    assert 4 in ids(second.records("orders"))


def test_a_future_date_in_sqlite_does_not_hide_later_changes(shop: str, tap_sql: Any, tmp_path: Path) -> None:
    sqlite_at(tmp_path / "shop.db", "update orders set updated_at = '2999-01-01 00:00:00' where order_no = 2")
    first = tap_sql(changes(shop))
    assert first.bookmark("orders")["replication_key_value"] < "2999"
    assert first.bookmark("orders")["replication_key_value"][10] == " "


def test_rows_without_a_replication_key_are_read_in_every_run_and_told(
    postgres: str, tap_sql: Any, caplog: pytest.LogCaptureFixture
) -> None:
    execute(
        postgres,
        "create table orders (order_no int primary key, updated_at timestamptz)",
        "insert into orders values (1, '2026-01-01'), (2, null), (3, '2026-01-02'), (4, null)",
    )
    first = tap_sql(changes(postgres))
    assert sorted(ids(first.records("orders"))) == [1, 2, 3, 4]
    assert "tap-sql: orders: 2 rows have no updated_at; they are read in every run" in caplog.text
    second = tap_sql(changes(postgres), state=first.state)
    assert sorted(ids(second.records("orders"))) == [2, 3, 4]


def test_another_replication_key_reads_from_the_start(postgres: str, tap_sql: Any) -> None:
    execute(
        postgres,
        "create table orders (order_no int primary key, updated_at timestamptz, version int)",
        "insert into orders values (1, '2026-01-01', 7), (2, '2026-01-02', 3)",
    )
    first = tap_sql(changes(postgres))
    other = changes(postgres, replication={"orders": {"method": "INCREMENTAL", "key": "version"}})
    second = tap_sql(other, state=first.state)
    assert ids(second.records("orders")) == [2, 1]
    assert second.bookmark("orders") == {"replication_key": "version", "replication_key_value": 7}


def test_a_catalog_may_choose_the_replication_key(postgres: str, tap_sql: Any) -> None:
    execute(
        postgres,
        "create table orders (order_no int primary key, updated_at timestamptz)",
        "insert into orders values (1, '2026-01-01')",
    )
    catalog = tap_sql.catalog({"url": postgres})
    # as Meltano writes `metadata: {orders: {replication-method: …}}`
    stream_of(catalog, "orders").update(replication_method="INCREMENTAL", replication_key="updated_at")
    ran = tap_sql({"url": postgres}, catalog=catalog)
    assert ran.bookmark("orders")["replication_key"] == "updated_at"


def test_changes_that_come_while_a_run_goes_on_are_left_to_the_next(shop: str, tap_sql: Any, tmp_path: Path) -> None:
    """The upper bound is taken at the start: a table that is written to without end can be read to an end."""
    tap = TapSql(config=changes(shop, batch_rows=1))
    stream: Any = tap.streams["orders"]
    chunks = stream._chunks(1)
    seen = [next(chunks)[1]]
    sqlite_at(tmp_path / "shop.db", "update orders set updated_at = '2026-02-01 00:00:00' where order_no = 3")
    seen += [chunk for _, chunk in chunks]
    assert [row["order_no"] for chunk in seen for row in chunk.rows.to_pylist()] == [1, 2]


# ------------------------------------------------------------ whole tables, and going on in the middle


def cut(messages: list[dict[str, Any]], states: int) -> dict[str, Any]:
    """The state as a target had it that died after so many STATE messages."""
    found = [each["value"] for each in messages if each["type"] == "STATE"]
    return dict(found[states])


@pytest.mark.parametrize("replication", [{}, {"*": {"key": "moved_at"}}], ids=["whole", "incremental"])
@pytest.mark.parametrize("database", ["postgres", "sqlite"])
def test_every_state_goes_on_where_it_was_cut_off(
    database: str, replication: dict[str, Any], tmp_path: Path, tap_sql: Any, request: pytest.FixtureRequest
) -> None:
    """Rows up to a STATE, and those of a run from that STATE, are the table: nothing lost, nothing twice."""
    values = ", ".join(f"('{i % 7:02}', {i}, '2026-01-0{1 + i // 10}')" for i in range(40))
    script = "create table moves (shop text, no int, moved_at date, primary key (shop, no));"
    script += f"insert into moves values {values}"
    if database == "sqlite":
        url = sqlite_at(tmp_path / "moves.db", script)
    else:
        url = request.getfixturevalue("postgres")
        execute(url, *script.split(";"))
    config = {"url": url, "batch_rows": 7, "replication": replication}
    stream: Any = TapSql(config=config).streams["moves"]
    assert list(stream.primary_keys) == ["shop", "no"]
    whole = [(row["shop"], row["no"]) for row in tap_sql(config).records("moves")]
    assert len(set(whole)) == 40
    for end in range(0, 40, 9):
        state = _state_after(TapSql(config=config), end)
        rest = [(row["shop"], row["no"]) for row in tap_sql(config, state=state).records("moves")]
        done = whole[: len(whole) - len(rest)]
        assert done + rest == whole
        assert len(done) >= end - 7


def _state_after(tap: Any, rows: int) -> dict[str, Any]:
    """The state once about so many rows were sent."""
    stream, sent = tap.streams["moves"], 0
    for part, chunk in stream._chunks(1):
        if sent >= rows:
            break
        sent += chunk.rows.num_rows
        stream._advance(part, chunk)
    return dict(tap.state)


def test_a_finished_table_leaves_no_mark_and_is_read_whole_again(shop: str, tap_sql: Any) -> None:
    first = tap_sql({"url": shop})
    assert first.bookmark("orders") == {}
    assert len(tap_sql({"url": shop}, state=first.state).records("orders")) == 3


def test_a_mark_of_another_order_is_not_gone_on_from(shop: str, tap_sql: Any) -> None:
    state = {"bookmarks": {"orders": {"resume": {"order": ["customer"], "after": ["Bruno"]}}}}
    assert len(tap_sql({"url": shop}, state=state).records("orders")) == 3


def test_a_view_without_a_key_is_read_whole_without_keys(shop: str, tap_sql: Any, tmp_path: Path) -> None:
    ran = tap_sql.batched({"url": shop, "tables": ["paid_orders"]}, tmp_path)
    assert ran.of("SCHEMA", "paid_orders")[0]["key_properties"] == []
    assert ran.as_lake("paid_orders").num_rows == 1
    assert "_sdc_extracted_at" in (tmp_path / ran.files("paid_orders")[0]).read_bytes().decode("latin-1")


def test_a_key_can_be_given_to_a_view(shop: str, tap_sql: Any) -> None:
    ran = tap_sql({"url": shop, "tables": ["paid_orders"], "primary_keys": {"paid_*": ["order_no"]}})
    assert ran.of("SCHEMA", "paid_orders")[0]["key_properties"] == ["order_no"]


def test_rows_with_an_empty_key_are_read_too(tmp_path: Path, tap_sql: Any) -> None:
    script = "create table k (a text primary key, b int); insert into k values (null, 1), ('x', 2)"
    url = sqlite_at(tmp_path / "k.db", script)
    assert ids(tap_sql({"url": url}).records("k"), "b") == [1, 2]


def test_an_empty_table_is_told_with_zero_rows(tmp_path: Path, tap_sql: Any, caplog: pytest.LogCaptureFixture) -> None:
    url = sqlite_at(tmp_path / "k.db", "create table k (a text primary key)")
    with caplog.at_level(logging.INFO):
        ran = tap_sql({"url": url})
    assert ran.of("SCHEMA", "k")
    assert "tap-sql: k: 0 rows read" in caplog.text


def test_an_empty_incremental_table_keeps_its_bookmark(postgres: str, tap_sql: Any) -> None:
    execute(postgres, "create table orders (order_no int primary key, updated_at timestamptz)")
    mark_ = {"replication_key": "updated_at", "replication_key_value": "2026-01-01T00:00:00+00:00"}
    ran = tap_sql(changes(postgres), state={"bookmarks": {"orders": dict(mark_)}})
    assert ran.bookmark("orders") == mark_


def test_names_that_need_quoting_are_read(postgres: str, tap_sql: Any) -> None:
    execute(
        postgres,
        """create table "Odd ""Table"" 100%" ("a%b" int primary key, "c:d" text, "e'f" text)""",
        """insert into "Odd ""Table"" 100%" values (1, 'x', 'y'), (2, 'it''s 5% \\ :z', null)""",
    )
    ran = tap_sql({"url": postgres})
    state = {"bookmarks": {'Odd "Table" 100%': {"resume": {"order": ["a%b"], "after": [1]}}}}
    assert ran.records('Odd "Table" 100%')[0] == {"a%b": 1, "c:d": "x", "e'f": "y"}
    rest = tap_sql({"url": postgres}, state=state).records('Odd "Table" 100%')
    assert rest == [{"a%b": 2, "c:d": "it's 5% \\ :z", "e'f": None}]


def test_refused_rows_fail_the_run_when_asked(postgres: str, tap_sql: Any) -> None:
    execute(postgres, "create table t (id int primary key, at date)")
    execute(postgres, "insert into t values (1, 'infinity'), (2, now())")
    tap_sql({"url": postgres})
    with pytest.raises(RowsRefused, match="tap-sql: 1 rows were refused"):
        tap_sql({"url": postgres, "fail_on_refused": True})


def test_a_trial_run_stops_after_one_row(postgres: str, tmp_path: Path) -> None:
    execute(postgres, "create table t (id int primary key)", "insert into t select generate_series(1, 50000)")
    storage = {"root": tmp_path.as_uri()}
    config = {"url": postgres, "batch_config": {"encoding": {"format": "parquet"}, "storage": storage}}
    assert TapSql(config=config).run_connection_test()
    assert list(tmp_path.iterdir()) == []


def test_a_database_in_write_ahead_mode_is_read_while_it_is_written(tmp_path: Path, tap_sql: Any) -> None:
    writer = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    writer.execute("pragma journal_mode = wal")
    writer.execute("create table receipts (id integer primary key)")
    writer.execute("insert into receipts values (1)")
    writer.execute("begin immediate")
    writer.execute("insert into receipts values (2)")
    try:
        assert ids(tap_sql({"url": f"sqlite:///{tmp_path}/ledger.db"}).records("receipts"), "id") == [1]
    finally:
        writer.close()
    assert ids(tap_sql({"url": f"sqlite:///{tmp_path}/ledger.db"}).records("receipts"), "id") == [1]


def test_a_database_without_tables_is_told(tmp_path: Path, tap_sql: Any, caplog: pytest.LogCaptureFixture) -> None:
    url = sqlite_at(tmp_path / "empty.db", "create table t (id int); drop table t")
    assert tap_sql({"url": url}).records("_quarantine") == []
    assert "shows no table to this user" in caplog.text


def test_a_table_with_an_extraction_time_of_its_own_keeps_it(postgres: str, tap_sql: Any, tmp_path: Path) -> None:
    execute(
        postgres,
        "create table t (id int primary key, _sdc_extracted_at timestamptz)",
        "insert into t values (1, '2026-01-01')",
    )
    [path] = tap_sql.batched({"url": postgres}, tmp_path).files("t")
    assert pq.read_table(path).column("_sdc_extracted_at")[0].as_py().isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("database", ["postgres", "sqlite"])
def test_a_view_without_a_key_is_read_by_changes_and_loses_no_tie(
    database: str, tmp_path: Path, tap_sql: Any, request: pytest.FixtureRequest
) -> None:
    script = "create table t (at timestamp, n int); create view v as select at, n from t; insert into t values "
    script += ", ".join(f"('2026-01-0{1 + n // 4} 00:00:00', {n})" for n in range(12))
    if database == "sqlite":
        url = sqlite_at(tmp_path / "t.db", script)
    else:
        url = request.getfixturevalue("postgres")
        execute(url, *script.split(";"))
    config = {"url": url, "tables": ["v"], "replication": {"v": {"key": "at"}}, "overlap": 0}
    assert sorted(ids(tap_sql(config).records("v"), "n")) == list(range(12))
    second = {"order": ["at"], "after": ["2026-01-02 00:00:00"]}
    rest = tap_sql(config, state={"bookmarks": {"v": {"resume": second}}})
    assert sorted(ids(rest.records("v"), "n")) == list(range(4, 12))
    assert rest.bookmark("v")["replication_key_value"].startswith("2026-01-03")


def test_rows_of_any_size_go_through_in_small_steps(tmp_path: Path, tap_sql: Any) -> None:
    """Large values are fetched a few rows at a time, so that memory does not depend on them."""
    url = sqlite_at(
        tmp_path / "t.db",
        "create table t (id integer primary key, photo blob);"
        "with recursive i(n) as (select 1 union all select n + 1 from i where n < 900) "
        "insert into t select n, zeroblob(100000) from i",
    )
    tap = TapSql(config={"url": url})
    stream: Any = tap.streams["t"]
    chunks = [chunk for _, chunk in stream._chunks(1_000_000)]
    assert sum(chunk.rows.num_rows for chunk in chunks) == 900
    assert max(chunk.rows.nbytes for chunk in chunks) < 2 * CHUNK_BYTES
    assert len(chunks) == 1


def test_a_table_without_columns_is_no_fault(postgres: str, tap_sql: Any) -> None:
    execute(postgres, "create table nothing ()")
    assert tap_sql({"url": postgres}).records("nothing") == []
