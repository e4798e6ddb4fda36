"""target-sql on bad days: connections that break, locks, deaths, rights that are missing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from tests.connectors.target_sql_tables import CANARY, Base, member, put, sink, take
from tests.servers.mariadb import MariaDb, mariadb, mariadb_server
from tests.servers.relay import Relay, relay

from snello.errors import ConfigError, RetryLater
from snello.kit.channel.rehearsal import Rehearsal
from snello.kit.conformance.runs import KILLED, Runs

__all__ = ["mariadb", "mariadb_server"]

LOYAL = "select customer_id, visits from loyal order by customer_id"


@contextmanager
def by_relay(url: str) -> Iterator[tuple[str, Relay, Base]]:
    """The database's URL by way of a relay, the relay, and the database as it is."""
    parsed = make_url(url.replace("postgresql://", "postgresql+psycopg://"))
    folder = parsed.query.get("host")
    server = f"{folder}/.s.PGSQL.5432" if folder else ("127.0.0.1", int(parsed.port or 0))
    with relay(server) as way:
        there = parsed.set(host="127.0.0.1", port=way.port, query={})
        yield there.render_as_string(hide_password=False), way, Base(parsed.render_as_string(hide_password=False))


@pytest.fixture(params=["postgres", "mariadb"])
def way(request: pytest.FixtureRequest) -> Iterator[tuple[str, Relay, Base]]:
    with by_relay(request.getfixturevalue(request.param)) as found:
        yield found


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_connection_that_breaks_at_the_commit_is_made_again_and_the_batch_repeated(
    way: tuple[str, Relay, Base], after: bool
) -> None:
    url, relay, base = way
    rows = sink(url, "visits")
    put(rows, member(1))
    relay.when(b"COMMIT", relay.cut, after=after)
    assert put(rows, member(1, visits=2), member(2)) == {"c1": "", "c2": ""}
    assert relay.met == 1
    assert base.rows(LOYAL) == [("c1", 2), ("c2", 2)]
    relay.when(b"COMMIT", relay.cut, after=after)
    assert take(rows, "c1") == {"c1": ""}
    assert base.rows(LOYAL) == [("c2", 2)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_connection_that_stays_broken_leaves_the_rows_to_the_next_run(
    way: tuple[str, Relay, Base], after: bool
) -> None:
    url, relay, base = way
    rows = sink(url, "visits", retry_attempts=1)
    put(rows, member(1))
    relay.when(b"COMMIT", relay.cut, after=after)
    with pytest.raises(RetryLater, match="broke off or is busy"):
        put(rows, member(2))
    assert put(rows, member(2)) == {"c2": ""}
    assert base.rows(LOYAL) == [("c1", 1), ("c2", 2)]


def test_a_replacement_whose_connection_breaks_changes_nothing(way: tuple[str, Relay, Base]) -> None:
    url, relay, base = way
    rows = sink(url, "visits")
    put(rows, member(1))
    rows.begin(1)
    put(rows, member(2), mode="replace")
    relay.cut()
    with pytest.raises(RetryLater):
        put(rows, member(3), mode="replace")
    rows.abandon()
    assert base.rows(LOYAL) == [("c1", 1)]
    rows.begin(1)
    put(rows, member(3), mode="replace")
    rows.commit()
    assert base.rows(LOYAL) == [("c3", 3)]


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    with Runs("target_sql:main") as found:
        yield found


@pytest.mark.parametrize("skip", [0, 1], ids=["while it looks at the table", "while it writes"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_process_that_is_killed_at_a_commit_loses_and_doubles_nothing(
    way: tuple[str, Relay, Base], after: bool, skip: int, tmp_path: Path, runs: Runs
) -> None:
    url, relay, base = way
    stage = Rehearsal(tmp_path, "sql__loyal")
    config = {"url": url, "table": "loyal", "ledger": stage.ledger_url}
    stage.publish([member(n) for n in range(300)])
    relay.when(b"COMMIT", lambda: os.kill(runs.pid(), signal.SIGKILL), after=after, skip=skip)
    assert runs.run(tmp_path / "first", stage.messages(), config).code == KILLED
    outcome = runs.run(tmp_path / "second", stage.messages(), config)
    assert outcome.code == 0, outcome.last_line
    assert base.rows("select count(*), count(distinct customer_id), sum(visits) from loyal") == [(300, 300, 44850)]
    assert base.rows("select count(*) from snello_rows where held") == [(300,)]
    stage.publish([member(n) for n in range(100)], others=[f"c{n}" for n in range(300)])
    relay.when(b"COMMIT", lambda: os.kill(runs.pid(), signal.SIGKILL), after=after, skip=skip)
    assert runs.run(tmp_path / "third", stage.messages("sql__loyal@publication-2"), config).code == KILLED
    assert runs.run(tmp_path / "fourth", stage.messages("sql__loyal@publication-2"), config).code == 0
    assert base.rows("select count(*) from loyal") == [(100,)]
    texts = b"".join(file.read_bytes() for file in tmp_path.glob("*/std[oe]*"))
    assert CANARY.encode() not in texts


def test_a_row_that_others_hold_locked_for_long_is_left_to_a_later_run(way: tuple[str, Relay, Base]) -> None:
    url, _, base = way
    rows = sink(url, "visits", timeout=1)
    put(rows, member(1), member(2))
    engine = sa.create_engine(base.url)
    with engine.begin() as other:
        other.exec_driver_sql("update loyal set visits = 9 where customer_id = 'c1'")
        with pytest.raises(RetryLater, match="others hold rows of it locked for longer than the setting timeout"):
            put(rows, member(1, visits=5))
    engine.dispose()
    assert put(rows, member(1, visits=5)) == {"c1": ""}
    assert base.rows(LOYAL) == [("c1", 5), ("c2", 2)]


def test_a_deadlock_is_lived_through(postgres: str) -> None:
    rows = sink(postgres, "visits", timeout=20, retry_attempts=3)
    put(rows, member(1), member(2))
    told: dict[str, str] = {}
    with psycopg.connect(postgres) as other, psycopg.connect(postgres, autocommit=True) as watcher:
        other.execute("update loyal set visits = 9 where customer_id = 'c2'")
        thread = threading.Thread(target=lambda: told.update(put(rows, member(1, visits=5), member(2, visits=5))))
        thread.start()
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        while (watcher.execute(waiting).fetchone() or (0,))[0] == 0:
            continue
        try:
            other.execute("update loyal set visits = 9 where customer_id = 'c1'")
            other.commit()
        except psycopg.errors.DeadlockDetected:
            other.rollback()
        thread.join()
    assert told == {"c1": "", "c2": ""}
    assert Base(postgres.replace("postgresql://", "postgresql+psycopg://")).rows(LOYAL) == [("c1", 5), ("c2", 5)]


def test_a_constraint_that_waits_for_the_commit_is_told_of_the_row(postgres: str) -> None:
    base = Base(postgres.replace("postgresql://", "postgresql+psycopg://"))
    base.run(
        "create table shops (no integer primary key)",
        "insert into shops values (1)",
        "create table loyal (customer_id text primary key, "
        "visits integer references shops deferrable initially deferred)",
    )
    rows = sink(postgres, "visits")
    assert put(rows, member(1), member(2)) == {"c1": "", "c2": "foreign_key"}
    assert base.rows(LOYAL) == [("c1", 1)]


def test_text_that_the_database_cannot_hold_is_refused_alone(postgres: str) -> None:
    rows = sink(postgres, "name")
    told = put(rows, member(1, name="a\0b"), member(2, name="a\ud800b"), member(3, name="àè€😀"))
    assert told == {"c1": "encoding", "c2": "encoding", "c3": ""}


def test_a_user_who_may_only_read_and_a_wrong_password_are_told_without_the_password(
    postgres: str, tmp_path: Path, runs: Runs
) -> None:
    base = Base(postgres.replace("postgresql://", "postgresql+psycopg://"))
    base.run("create table loyal (customer_id text primary key, name text, visits integer)")
    name = make_url(postgres).database
    base.run(
        f"grant connect on database {name} to walled",
        "grant select on loyal to walled",
        "create table snello_rows (place text, sync text, key text, inserted boolean, held boolean, run text)",
        "grant all on snello_rows to walled",
    )
    stage = Rehearsal(tmp_path, "sql__loyal")
    stage.publish([member(1)])
    for password, what in (("sesame", "user walled may not write it"), ("opensesame", "wrong user or password")):
        url = postgres.replace("postgres@", f"walled:{password}@")
        config = {"url": url, "table": "loyal", "ledger": stage.ledger_url}
        done = runs.run(tmp_path / password, stage.messages(), config)
        assert done.code == ConfigError.exit_code
        assert what in done.last_line
        assert "sesame" not in done.err
        assert CANARY not in done.err
    with psycopg.connect(postgres, autocommit=True) as owner:
        owner.execute("drop owned by walled")


def test_a_user_of_mariadb_who_may_only_read_is_told_so(mariadb_server: MariaDb, mariadb: str) -> None:
    name = make_url(mariadb).database
    put(sink(mariadb, "visits"), member(1))
    mariadb_server.run(
        "create or replace user reader@'127.0.0.1' identified by 'opensesame'",
        f"grant select on {name}.* to reader@'127.0.0.1'",
        f"grant all on {name}.snello_rows to reader@'127.0.0.1'",
    )
    with pytest.raises(ConfigError, match="user reader may not write it") as told:
        put(sink(mariadb.replace("root@", "reader:opensesame@"), "visits"), member(2))
    assert "opensesame" not in str(told.value)


def test_a_database_without_room_keeps_nothing_of_the_batch(tmp_path: Path) -> None:
    base = Base(f"sqlite:///{tmp_path / 'crm.db'}")
    rows = sink(base.url, "name", "visits")
    put(rows, member(1))
    connection = rows._merge.database.connection
    connection.exec_driver_sql("pragma max_page_count = 20")
    connection.rollback()
    with pytest.raises(RetryLater, match="has no room left"):
        put(rows, *(member(n, name="x" * 100) for n in range(5_000)))
    assert base.rows("select customer_id from loyal") == [("c1",)]
    assert base.rows("select count(*) from snello_rows") == [(1,)]


def test_a_server_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(RetryLater, match=r"PostgreSQL at 127\.0\.0\.1:1 does not answer"):
        put(sink("postgresql://u:opensesame@127.0.0.1:1/x", "visits"), member(1))
    with pytest.raises(ConfigError, match="no folder for a SQLite file"):
        put(sink(f"sqlite:///{tmp_path}/none/x.db", "visits"), member(1))
    with pytest.raises(ConfigError, match="setting url is not a database URL"):
        put(sink("not a url", "visits"), member(1))
