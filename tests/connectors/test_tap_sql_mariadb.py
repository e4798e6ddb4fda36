"""tap-sql over a real MariaDB: what it holds is what the lake gets, and a reading that is cut off goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from tests.servers.mariadb import MariaDb, free_port, mariadb, mariadb_server

from snello.errors import ConfigError, ContractError, RetryLater, SnelloError
from tap_sql import TapSql

__all__ = ["mariadb", "mariadb_server"]

SECRET = "s3same%2Fopen"


class Database:
    """A database of the server."""

    def __init__(self, server: MariaDb, url: str) -> None:
        self.server, self.url, self.name = server, url, url.rpartition("/")[2]

    def run(self, *statements: str) -> None:
        self.server.run(*statements, database=self.name)


@pytest.fixture
def shop(mariadb_server: MariaDb, mariadb: str) -> Database:
    return Database(mariadb_server, mariadb)


VALUES: dict[str, tuple[str, str, Any]] = {
    "boolean": ("boolean", "true", 1),
    "tinyint(1)": ("tinyint(1)", "-7", -7),
    "bit": ("bit", "b'1'", True),
    "bits": ("bit(3)", "b'101'", "101"),
    "unsigned": ("bigint unsigned", "9223372036854775807", 2**63 - 1),
    "zerofill": ("int(7) zerofill", "42", 42),
    "year": ("year", "2026", 2026),
    "decimal": ("decimal(12, 2)", "-9.90", Decimal("-9.90")),
    "long decimal": ("decimal(38, 10)", "1234567890123456789012345678.0123456789",
                     Decimal("1234567890123456789012345678.0123456789")),
    "float": ("float", "1.1", 1.10000002384185791015625),
    "double": ("double", "0.1234567890123456", 0.1234567890123456),
    "text": ("text", "'è \\\"q\\\" \\\\ 😀'", 'è "q" \\ 😀'),
    "latin1": ("varchar(9) character set latin1", "'città €'", "città €"),
    "padded": ("char(5)", "'ab'", "ab"),
    "enum": ("enum('b', 'a')", "'a'", "a"),
    "set": ("set('p', 'q')", "'p,q'", "p,q"),
    "json": ("json", "'{\\\"a\\\": [1, \\\"è\\\"]}'", '{"a": [1, "è"]}'),
    "date": ("date", "'2026-01-31'", date(2026, 1, 31)),
    "datetime": ("datetime(6)", "'2026-07-01 12:00:00.123456'", datetime(2026, 7, 1, 10, 0, 0, 123456, UTC)),
    "timestamp": ("timestamp(3) null", "'2026-07-01 12:00:00.5'", datetime(2026, 7, 1, 7, 0, 0, 500000, UTC)),
    "time": ("time(1)", "'-100:00:00.5'", "-100:00:00.5"),
    "uuid": ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "address": ("inet6", "'::1'", "::1"),
    "point": ("point", "point(1, 2)", "POINT(1 2)"),
    "blob": ("longblob", "x'00ff'", "AP8="),
    "binary": ("binary(3)", "'a'", "YQAA"),
    "generated": ("int generated always as (no * 2) virtual", "default", 2),
    "stored": ("varchar(9) generated always as (concat('n', no)) stored", "default", "n1"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "held"), VALUES.values(), ids=list(VALUES))
def test_a_value_is_in_the_lake_what_it_is_in_the_database(
    kind: str, value: str, held: Any, shop: Database, tap_sql: Any, tmp_path: Path
) -> None:
    """The server's own time zone is five hours ahead of UTC, where TIMESTAMPs are written; DATETIMEs are Rome's."""
    shop.run(f"create table t (no int primary key, v {kind})", f"insert into t (no, v) values (1, {value})")
    config = {"url": shop.url, "timezone": "Europe/Rome"}
    for ran in (tap_sql(config), tap_sql.batched(config, tmp_path)):
        assert ran.records("_quarantine") == []
        assert ran.as_lake("t").to_pylist() == [{"no": 1, "v": held}]


REFUSED = {
    "zero date": ("date", "'0000-00-00'", "not a date of the years 1 to 9999"),
    "zero day": ("date", "'2026-01-00'", "not a date of the years 1 to 9999"),
    "zero datetime": ("datetime", "'0000-00-00 00:00:00'", "not a timestamp of the years 1 to 9999"),
    "large": ("bigint unsigned", "18446744073709551615", "not an integer of 64 bits"),
    "wide": ("decimal(65, 2)", "1" + "0" * 50, "does not fit decimal(38, 2)"),
}


@pytest.mark.parametrize(("kind", "value", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_a_value_the_lake_cannot_hold_is_quarantined_or_comes_as_text(
    kind: str, value: str, reason: str, shop: Database, tap_sql: Any
) -> None:
    shop.run(f"create table t (no int primary key, v {kind})", f"insert into t values (1, {value}), (2, null)")
    ran = tap_sql({"url": shop.url})
    assert [row["no"] for row in ran.records("t")] == [2]
    [refused] = ran.records("_quarantine")
    assert refused["reason"] == f"v: {reason}"
    text = tap_sql({"url": shop.url, "as_text": ["t.v"]}).records("t")
    assert [row["no"] for row in text] == [1, 2]
    assert str(text[0]["v"]).startswith(value.strip("'"))


def test_discovery_tells_keys_views_types_and_comments(shop: Database, tap_sql: Any) -> None:
    shop.run(
        "create table people (id bigint unsigned auto_increment primary key, name varchar(9) comment 'On the card.') "
        "comment 'One row a person.'",
        "create view adults as select id from people",
    )
    catalog = tap_sql.catalog({"url": shop.url})
    streams = {each["tap_stream_id"]: each for each in catalog["streams"]}
    assert streams["people"]["key_properties"] == ["id"]
    assert (streams["adults"]["key_properties"], streams["adults"]["is_view"]) == ([], True)
    assert streams["people"]["schema"]["description"] == "One row a person."
    assert streams["people"]["schema"]["properties"]["name"]["description"] == "On the card."


def test_the_session_cannot_write(shop: Database) -> None:
    source = TapSql(config={"url": shop.url}).source
    with pytest.raises(SnelloError) as fault, source.connect() as connection:
        connection.exec_driver_sql("create table mine (id int)")
    assert "1792" in str(fault.value)  # cannot execute statement in a READ ONLY transaction


KEYS = {
    "enum": ("enum('c', 'a', 'b')", ["c", "a", "b"]),
    "set": ("set('z', 'y')", ["z", "y", "z,y"]),
    "bits": ("bit(4)", [1, 5, 15]),
    "text": ("varchar(9)", ["B", "a", "à2", "c "]),
    "float": ("float", [0.1, 1.1, 2.2]),
    "unsigned": ("bigint unsigned", [1, 2**63 - 2, 2**63 - 1]),
    "time": ("time", ["-10:00:00", "09:00:00", "100:00:00"]),
    "datetime": ("datetime(6)", ["2026-01-01 00:00:00.000001", "2026-01-01 00:00:00.000002", "2026-01-02 00:00:00"]),
    "uuid": ("uuid", ["00000000-0000-0000-0000-0000000000ff", "10000000-0000-0000-0000-000000000000"]),
    "binary": ("varbinary(4)", ["a", "b", "ba"]),
    "decimal": ("decimal(10, 3)", ["1.001", "1.002", "-3"]),
    "year": ("year", [1999, 2026]),
    "generated": ("int as (no + 1) stored", None),
}


@pytest.mark.parametrize(("kind", "values"), KEYS.values(), ids=list(KEYS))
def test_pages_of_one_row_go_through_a_table_whatever_its_key(
    kind: str, values: list[Any] | None, shop: Database, tap_sql: Any
) -> None:
    shop.run(f"create table t (no int, k {kind}, unique (k))")
    rows = [f"({no}, {value!r})" for no, value in enumerate(values or [])] or ["(0, default)", "(1, default)"]
    shop.run(f"insert into t values {', '.join(rows)}")
    ran = tap_sql({"url": shop.url, "primary_keys": {"t": ["k"]}, "batch_rows": 1})
    assert sorted(row["no"] for row in ran.records("t")) == list(range(len(rows)))


def test_a_zero_date_as_replication_key_stops_nobody(shop: Database, tap_sql: Any) -> None:
    shop.run(
        "create table t (no int primary key, at datetime not null)",
        "insert into t values (1, '0000-00-00 00:00:00'), (2, '0000-00-00 00:00:00'), (3, '2026-01-01 00:00:00')",
    )
    config = {"url": shop.url, "replication": {"*": {"key": "at"}}, "as_text": ["t.at"], "batch_rows": 1}
    first = tap_sql(config)
    assert [row["no"] for row in first.records("t")] == [1, 2, 3]
    plain = tap_sql(config | {"as_text": []})
    assert [row["no"] for row in plain.records("t")] == [3]
    assert len(plain.records("_quarantine")) == 2


def test_changes_are_read_with_the_ties_of_the_bookmark(shop: Database, tap_sql: Any) -> None:
    shop.run(
        "create table t (no int primary key, at timestamp(6))",
        "insert into t values (1, '2026-01-01 10:00:00'), (2, '2026-01-01 11:00:00'), (3, '2026-01-01 11:00:00')",
    )
    config = {"url": shop.url, "replication": {"*": {"key": "at"}}, "overlap": 0}
    first = tap_sql(config)
    assert first.bookmark("t") == {"replication_key": "at", "replication_key_value": "2026-01-01T06:00:00"}
    shop.run("update t set at = '2026-01-02 00:00:00' where no = 1", "insert into t values (0, '2026-01-01 11:00:00')")
    second = tap_sql(config, state=first.state)
    assert [row["no"] for row in second.records("t")] == [0, 2, 3, 1]


@pytest.mark.parametrize(
    ("replication", "partitions"), [({}, 3), ({"*": {"key": "at"}}, 1)], ids=["whole, 3 at once", "changes"]
)
def test_a_server_that_dies_half_way_costs_a_second_run_and_no_row(
    replication: dict[str, Any], partitions: int, tap_sql: Any, tmp_path_factory: pytest.TempPathFactory,
    mariadb_server: MariaDb, mariadb: str,
) -> None:  # fmt: skip
    shop = Database(mariadb_server, mariadb)
    shop.run(
        "create table t (no int primary key, at datetime, pad varchar(500))",
        "insert into t select seq, '2026-01-01' + interval (seq div 700) second, repeat('x', 400) from seq_1_to_20000",
    )
    config = {"url": shop.url, "replication": replication, "batch_rows": 1_000, "partitions": partitions}
    tap = TapSql(config=config)
    stream: Any = tap.streams["t"]
    chunks = stream._chunks(1_000)
    sent: list[int] = []
    _to_the_end(stream, islice(chunks, 5), sent)
    mariadb_server.kill()
    try:
        with pytest.raises(RetryLater, match=r"MySQL at 127\.0\.0\.1:\d+ (broke off or is busy|does not answer)"):
            _to_the_end(stream, chunks, sent)
    finally:
        mariadb_server.start()
    state = json.loads(json.dumps(dict(tap.state)))
    rest = [row["no"] for row in tap_sql(config, state=state).records("t")]
    assert sorted(sent + rest) == list(range(1, 20_001))


def _to_the_end(stream: Any, chunks: Iterator[Any], sent: list[int]) -> None:
    for part, chunk in chunks:
        stream._advance(part, chunk)
        sent += chunk.rows.column("no").to_pylist()


PEAK = "import resource, sys; from tap_sql import main\ntry: main()\nfinally: " + (
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
)


def test_memory_does_not_grow_with_the_table(shop: Database, tmp_path: Path) -> None:
    shop.run(
        "create table few (no int primary key, pad varchar(300))",
        "insert into few select seq, repeat(md5(seq), 8) from seq_1_to_40000",
        "create table many like few",
        "insert into many select seq, repeat(md5(seq), 8) from seq_1_to_320000",
        "create view few_v as select * from few",
        "create view many_v as select * from many",
    )
    peaks = {}
    for table in ("few", "many", "few_v", "many_v"):
        config = tmp_path / f"{table}.json"
        config.write_text(json.dumps({"url": shop.url, "tables": [table], "batch_rows": 20_000}))
        words = [sys.executable, "-c", PEAK, "--config", str(config)]
        ran = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
        peaks[table] = int(ran.stderr.splitlines()[-1])
    assert peaks["many"] < peaks["few"] + 40_000  # kB; the rows alone are 80 MB
    assert peaks["many_v"] < peaks["few_v"] + 40_000


# ------------------------------------------------------------ what goes wrong


def fault_of(config: dict[str, Any]) -> SnelloError:
    with pytest.raises(SnelloError) as caught:
        TapSql(config=config).sync_all()
    assert SECRET not in str(caught.value)
    return caught.value


def test_wrong_credentials_hosts_and_names_are_told_each_in_its_way(shop: Database) -> None:
    at, port = f"127.0.0.1:{shop.server.port}", free_port()
    told: dict[str, tuple[type[SnelloError], str]] = {
        f"mysql+pymysql://nobody:{SECRET}@{at}/{shop.name}": (
            ConfigError, f"MySQL at {at} refused user nobody: wrong user or password",
        ),
        f"mysql+pymysql://root@{at}/nowhere": (ConfigError, f"MySQL at {at} has no database nowhere"),
        f"mysql+pymysql://root:{SECRET}@127.0.0.1:{port}/x": (RetryLater, "does not answer"),
        f"mysql+pymysql://root:{SECRET}@db.invalid/x": (ConfigError, "unknown host in MySQL at db.invalid"),
    }  # fmt: skip
    for url, (kind, words) in told.items():
        fault = fault_of({"url": url})
        assert type(fault) is kind, fault
        assert words in str(fault)


def test_a_table_that_may_not_be_read_or_is_gone_is_named(shop: Database, mariadb_server: MariaDb) -> None:
    shop.run("create table t (no int primary key, a int, b int)", "create table u (no int primary key)")
    mariadb_server.run("create user clerk", f"grant insert on {shop.name}.t to clerk")
    try:
        fault = fault_of({"url": shop.url.replace("root@", "clerk@"), "tables": ["t"]})
        assert type(fault) is ConfigError
        assert "tap-sql: t: user clerk may not read it. Next: grant select" in str(fault)
    finally:
        mariadb_server.run("drop user clerk")
    tap = TapSql(config={"url": shop.url})
    shop.run("drop table u")
    with pytest.raises(ContractError, match="tap-sql: u: the table is gone"):
        tap.streams["u"].sync()
