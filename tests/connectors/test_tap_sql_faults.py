"""What goes wrong around tap-sql ends in one sentence with the right exit code, and tells no secret and no value."""

from __future__ import annotations

import json
import resource
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlparse

import psycopg
import pyarrow.parquet as pq
import pytest
import trustme

from snello.errors import ConfigError, ContractError, RetryLater, SnelloError
from tap_sql import TapSql

SECRET = "s3same%2Fopen"
CANARY = "canary.person@example.org"

SIGNALLED = 300_000
PEOPLE = "create table customers (customer_no int primary key, email text, updated_at timestamptz)"


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def fault_of(config: dict[str, Any], **given: Any) -> SnelloError:
    """The fault that a run ends with."""
    with pytest.raises(SnelloError) as caught:
        TapSql(config=config, **given).sync_all()
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def tapped(config: dict[str, Any], folder: Path, **given: Any) -> subprocess.CompletedProcess[str]:
    """The real command."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    command = [str(Path(sys.executable).with_name("tap-sql")), "--config", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **given)


# ------------------------------------------------------------ the connection


def test_a_wrong_password_is_told_without_it(postgres: str, tmp_path: Path) -> None:
    url = postgres.replace("postgres@", f"walled:{SECRET}@")
    ran = tapped({"url": url}, tmp_path)
    assert ran.returncode == ConfigError.exit_code
    last = ran.stderr.splitlines()[-1]
    assert last.startswith(f"tap-sql: PostgreSQL at {gettempdir()}/")
    assert "refused user walled: wrong user or password. Next: check the user and password in setting url." in last
    assert "Traceback" not in ran.stderr
    for word in (SECRET, "s3same/open"):
        assert word not in ran.stderr + ran.stdout


def test_the_right_password_lets_in(postgres: str, tap_sql: Any) -> None:
    execute(postgres, "create table t (id int)", "grant select on t to walled")
    url = postgres.replace("postgres@", "walled:sesame@")
    try:
        assert tap_sql({"url": url}).of("SCHEMA", "t")
    finally:
        execute(postgres, "revoke select on t from walled")


CONNECTIONS: dict[str, tuple[str, type[SnelloError], str]] = {
    "server down": (
        f"postgresql://u:{SECRET}@127.0.0.1:1/crm", RetryLater, "PostgreSQL at 127.0.0.1:1 does not answer",
    ),
    "no socket": ("postgresql://u@/crm?host=/nowhere", RetryLater, "PostgreSQL at /nowhere does not answer"),
    "unknown host": (
        f"postgresql://u:{SECRET}@db.invalid/crm", ConfigError, "unknown host in PostgreSQL at db.invalid",
    ),
    "no URL": (f"u:{SECRET}", ConfigError, "setting url is not a database URL"),
    "port in words": (f"postgresql://u:{SECRET}@h:port/crm", ConfigError, "setting url is not a database URL"),
    "unknown kind": (f"postgre://u:{SECRET}@h/crm", ConfigError, "did you mean 'postgresql'?"),
    "no driver": (f"oracle://u:{SECRET}@h/crm", ConfigError, "install oracledb into the plugin's environment"),
    "no SQL Server": (f"mssql://u:{SECRET}@h/crm", ConfigError, "install pymssql into the plugin's environment"),
    "no C driver": (f"mysql+mysqldb://u:{SECRET}@h/crm", ConfigError, "install pymysql (and write mysql+pymysql://"),
    "no file": ("sqlite:////nowhere/shop.db", ConfigError, "no SQLite file at /nowhere/shop.db"),
    "nothing named": ("sqlite://", ConfigError, "no SQLite file at"),
}  # fmt: skip


class Front:
    """The port of a PostgreSQL server, as far as the greeting: with a certificate, or without TLS."""

    def __init__(self, certificate: trustme.LeafCert | None) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        if certificate:
            certificate.configure_cert(self.context)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = Thread(target=self._answer, daemon=True)
        self.thread.start()

    def _answer(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                with suppress(OSError), client:
                    client.recv(8)  # the request for TLS
                    client.sendall(b"S" if self.context else b"N")
                    if self.context:
                        self.context.wrap_socket(client, server_side=True).close()

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


UNVERIFIED = "shows a certificate that cannot be verified. Next: name the file of its authority in setting url"
TLS: dict[str, tuple[str, str, str]] = {
    "unknown authority": ("other.pem", "localhost", UNVERIFIED),
    "another host": ("known.pem", "other.invalid", UNVERIFIED),
    "no authority": ("missing.pem", "localhost", UNVERIFIED),
    "no TLS": ("known.pem", "", "does not offer the encryption that setting url demands. Next: turn TLS on"),
}


@pytest.mark.parametrize(("authority", "host", "words"), TLS.values(), ids=list(TLS))
def test_a_server_that_cannot_be_trusted_gets_no_password(
    authority: str, host: str, words: str, tmp_path: Path
) -> None:
    known, other = trustme.CA(), trustme.CA()
    known.cert_pem.write_to_path(tmp_path / "known.pem")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    front = Front(known.issue_cert(host) if host else None)
    try:
        query = f"sslmode=verify-full&sslrootcert={tmp_path / authority}"
        fault = fault_of({"url": f"postgresql://u:{SECRET}@localhost:{front.port}/crm?{query}"})
    finally:
        front.close()
    assert type(fault) is ConfigError
    assert f"tap-sql: PostgreSQL at localhost:{front.port} {words}" in str(fault)
    assert SECRET not in str(fault)


@pytest.mark.parametrize(("url", "kind", "words"), CONNECTIONS.values(), ids=list(CONNECTIONS))
def test_a_connection_that_fails_says_why(url: str, kind: type[SnelloError], words: str) -> None:
    fault = fault_of({"url": url})
    assert type(fault) is kind
    assert words in str(fault)
    assert SECRET not in str(fault)


def test_a_database_that_does_not_exist_is_named(postgres_server: str) -> None:
    fault = fault_of({"url": postgres_server.replace("/postgres?", "/crn?")})
    assert type(fault) is ConfigError
    assert "has no database crn" in str(fault)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("just some notes, as long as the header of a database file would be\n" * 20)
    fault = fault_of({"url": f"sqlite:///{tmp_path}/notes.db"})
    assert type(fault) is ConfigError
    assert "notes.db is not a database that can be read" in str(fault)


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    fault_of({"url": f"sqlite:///{tmp_path}/shop.db"})
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------ settings

SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "pattern": ({"tables": ["custmers"]}, "no table fits 'custmers' in setting tables. Next: did you mean 'customers'"),
    "schema": ({"schemas": ["pubic"]}, "no schema 'pubic', as setting schemas asks. Next: did you mean 'public'?"),
    "replication key": (
        {"replication": {"cust*": {"key": "update_at"}}},
        "customers has no column 'update_at', as setting replication asks. Next: did you mean 'updated_at'?",
    ),
    "no replication key": ({"replication": {"cust*": {}}}, "replication of customers is INCREMENTAL without a key"),
    "primary key": (
        {"primary_keys": {"customers": ["customer_nr"]}},
        "customers has no column 'customer_nr', as setting primary_keys asks. Next: did you mean 'customer_no'?",
    ),
    "time zone": (
        {"timezone": "Europe/Roma"},
        "setting timezone: unknown time zone 'Europe/Roma'. Next: did you mean 'Europe/Rome'?",
    ),
}


def test_a_setting_that_there_is_not_is_refused_with_the_nearest(tmp_path: Path) -> None:
    ran = tapped({"url": "sqlite://", "deletess": ["*"]}, tmp_path)
    assert ran.returncode == ConfigError.exit_code
    assert "tap-sql: unknown setting deletess. Next: did you mean 'deletes'?" in ran.stderr.splitlines()[-1]


@pytest.mark.parametrize(("given", "words"), SETTINGS.values(), ids=list(SETTINGS))
def test_a_setting_that_names_nothing_says_what_was_meant(given: dict[str, Any], words: str, postgres: str) -> None:
    execute(postgres, PEOPLE)
    fault = fault_of({"url": postgres} | given)
    assert type(fault) is ConfigError
    assert words in str(fault)


def test_one_stream_name_for_two_tables_is_refused(postgres: str) -> None:
    execute(postgres, PEOPLE, "create schema sales", "create table sales.customers (id int)")
    fault = fault_of({"url": postgres, "schemas": ["public", "sales"]})
    assert "customers is in schema public and in sales" in str(fault)


# ------------------------------------------------------------ tables that changed


def test_a_table_that_is_gone_since_discovery(postgres: str, tap_sql: Any) -> None:
    execute(postgres, PEOPLE)
    catalog = tap_sql.catalog({"url": postgres})
    execute(postgres, "alter table customers rename to customer")
    fault = fault_of({"url": postgres}, catalog=catalog)
    assert type(fault) is ContractError
    assert "the catalog selects 'customers', and there is no such table or view" in str(fault)
    assert "did you mean 'customer'?" in str(fault)


def test_a_column_that_is_gone_since_discovery(postgres: str, tap_sql: Any) -> None:
    execute(postgres, PEOPLE)
    catalog = tap_sql.catalog({"url": postgres})
    execute(postgres, "alter table customers rename email to e_mail")
    fault = fault_of({"url": postgres}, catalog=catalog)
    assert type(fault) is ContractError
    assert "tap-sql: customers: column 'email' is gone from the table. Next: did you mean 'e_mail'?" in str(fault)


@pytest.mark.parametrize("change", ["drop column email", "rename to people"])
def test_a_table_that_changes_between_the_start_and_its_reading(change: str, postgres: str, tap_sql: Any) -> None:
    execute(postgres, PEOPLE)
    tap = TapSql(config={"url": postgres})
    execute(postgres, f"alter table customers {change}")
    with pytest.raises(ContractError) as caught:
        tap.streams["customers"].sync()
    expected = "column 'email' is gone from the table" if "drop" in change else "the table is gone"
    assert f"tap-sql: customers: {expected}" in str(caught.value)


def test_a_table_that_may_not_be_read(postgres: str) -> None:
    execute(postgres, PEOPLE)
    fault = fault_of({"url": postgres.replace("postgres@", "walled:sesame@")})
    assert type(fault) is ConfigError
    assert "tap-sql: customers: user walled may not read it" in str(fault)


def test_a_catalog_with_a_method_that_there_is_not(postgres: str, tap_sql: Any) -> None:
    execute(postgres, PEOPLE)
    catalog = tap_sql.catalog({"url": postgres})
    next(each for each in catalog["streams"] if each["stream"] == "customers")["replication_method"] = "LOG_BASED"
    fault = fault_of({"url": postgres}, catalog=catalog)
    assert "replication method 'LOG_BASED' in the catalog" in str(fault)


# ------------------------------------------------------------ in the middle of a run


def test_a_connection_that_breaks_off_can_be_taken_up_again(postgres: str, tap_sql: Any) -> None:
    """What was sent before is in the state, and the next run brings the rest."""
    execute(postgres, "create table t (id int primary key, pad text)")
    execute(postgres, "insert into t select i, repeat('x', 500) from generate_series(1, 150000) i")
    tap = TapSql(config={"url": postgres})
    stream: Any = tap.streams["t"]
    chunks = stream._chunks(1)
    part, chunk = next(chunks)
    stream._advance(part, chunk)
    sent = chunk.rows.column("id").to_pylist()
    execute(postgres, "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
    with pytest.raises(RetryLater, match="broke off or is busy"):
        _to_the_end(stream, chunks, sent)
    rest = [row["id"] for row in tap_sql({"url": postgres}, state=dict(tap.state)).records("t")]
    assert sent + rest == list(range(1, 150_001))


def _to_the_end(stream: Any, chunks: Iterator[Any], sent: list[int]) -> None:
    for part, chunk in chunks:
        stream._advance(part, chunk)
        sent += chunk.rows.column("id").to_pylist()


def test_a_lock_on_a_sqlite_file_is_a_matter_of_time(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (id integer primary key)")
    connection.close()
    tap = TapSql(config={"url": f"sqlite:///{path}"})
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("begin exclusive")
    try:
        with pytest.raises(RetryLater, match="broke off or is busy"):
            tap.streams["t"].sync()
    finally:
        writer.close()


def test_a_full_disk_leaves_no_piece_behind_and_loses_nothing(postgres: str, tmp_path: Path) -> None:
    execute(postgres, "create table t (id int primary key, pad text)")
    execute(postgres, "insert into t select i, md5(i::text) || md5((i * 7)::text) from generate_series(1, 30000) i")
    folder = tmp_path / "batches"
    config = {"url": postgres, "batch_config": _parquet(folder)}
    limit: Callable[[], None] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # noqa: E731
    ran = tapped(config, tmp_path, preexec_fn=limit)
    assert ran.returncode == RetryLater.exit_code
    assert "tap-sql: no space left in batch_config.storage.root. Next: free some space" in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr
    assert '"BATCH"' not in ran.stdout
    assert '"resume"' not in ran.stdout
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("partitions", [1, 2])
@pytest.mark.parametrize("kind", ["RECORD", "BATCH"])
def test_a_signal_ends_a_run_with_a_state_that_speaks_of_nothing_unsent(
    kind: str, partitions: int, postgres: str, tmp_path: Path, tap_sql: Any
) -> None:
    """Ended by SIGTERM at any moment: what came before the last STATE, and what comes from it on, is the table."""
    execute(postgres, "create table t (id int primary key, pad text)")
    execute(postgres, f"insert into t select i, repeat('x', 300) from generate_series(1, {SIGNALLED}) i")
    config = {"url": postgres, "batch_rows": 300, "partitions": partitions}
    batches = {"batch_config": _parquet(tmp_path / "b")} if kind == "BATCH" else {}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config | batches))
    command = [str(Path(sys.executable).with_name("tap-sql")), "--config", str(path)]
    lines: list[dict[str, Any]] = []
    states = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tap:
        assert tap.stdout is not None
        assert tap.stderr is not None
        for line in tap.stdout:
            lines.append(json.loads(line))
            states += lines[-1]["type"] == "STATE"
            if states == 2:
                tap.send_signal(signal.SIGTERM)
                break
        lines += [json.loads(line) for line in tap.stdout]
        last = tap.stderr.read().splitlines()[-1]
    assert tap.returncode == 130
    assert last == "tap-sql: stopped by a signal. Next: run again: nothing is lost."
    end = max(place for place, each in enumerate(lines) if each["type"] == "STATE")
    sent = [id_ for each in lines[:end] for id_ in _ids(each)]
    assert 0 < len(sent) < SIGNALLED
    rest = tap_sql(config, state=lines[end]["value"]).records("t")
    assert {*sent, *(row["id"] for row in rest)} == set(range(1, SIGNALLED + 1))


def _ids(message: dict[str, Any]) -> list[int]:
    if message["type"] == "RECORD":
        return [message["record"]["id"]]
    if message["type"] == "BATCH":
        return list(pq.read_table(unquote(urlparse(message["manifest"][0]).path)).column("id").to_pylist())
    return []


def _parquet(folder: Path) -> dict[str, Any]:
    return {"encoding": {"format": "parquet"}, "storage": {"root": folder.as_uri()}}


# ------------------------------------------------------------ what is never told


def test_no_value_of_a_row_enters_a_log(postgres: str, tmp_path: Path) -> None:
    execute(
        postgres,
        "create table customers (email text primary key, born date, changed timestamptz)",
        f"insert into customers values ('{CANARY}', 'infinity', now()), ('x{CANARY}', null, null)",
    )
    config = {"url": postgres, "replication": {"*": {"key": "changed"}}}
    ran = tapped(config, tmp_path)
    assert ran.returncode == 0
    assert CANARY in ran.stdout
    assert "canary" not in ran.stderr
    assert "1 rows refused, see stream _quarantine" in ran.stderr


def test_a_source_that_returns_nothing_succeeds_and_says_so(postgres: str, tmp_path: Path) -> None:
    execute(postgres, PEOPLE)
    ran = tapped({"url": postgres, "batch_config": _parquet(tmp_path / "b")}, tmp_path)
    assert ran.returncode == 0
    assert "tap-sql: customers: 0 rows read" in ran.stderr
    assert '"stream":"customers"' in ran.stdout
    assert "BATCH" not in ran.stdout
