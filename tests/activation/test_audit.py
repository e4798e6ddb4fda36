from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from snello.activation import AuditLog, Ledger
from snello.activation.audit import Entry, verify
from snello.errors import ConfigError, RetryLater

SALT = "pepper"


@pytest.fixture(params=["sqlite", "postgresql"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AuditLog]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")
    ledger = Ledger(url)
    yield AuditLog(ledger.engine, SALT)
    ledger.close()


def test_a_log_that_nobody_touched_is_whole(log: AuditLog) -> None:
    assert log.verify() is None
    for number in range(5):
        log.append("export", f"subject {number}", rows=number)
    assert log.verify() is None
    assert [entry.seq for entry in log.entries()] == [1, 2, 3, 4, 5]
    assert [entry.seq for entry in log.entries(last=2)] == [4, 5]


@pytest.mark.parametrize("deed", ["update audit set actor = 'nobody'", "delete from audit"])
def test_the_database_refuses_to_change_or_delete_an_entry(log: AuditLog, deed: str) -> None:
    log.append("export")
    with pytest.raises(DBAPIError, match="append only"), log.engine.begin() as connection:
        connection.execute(text(deed))
    assert log.verify() is None


def test_an_entry_is_written_with_what_it_tells_of_or_not_at_all(log: AuditLog) -> None:
    def failing() -> None:
        with log.writing() as connection:
            log.tell(connection, "export")
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert log.entries() == []


def test_writers_at_the_same_time_never_fork_the_chain(log: AuditLog) -> None:
    def write(number: int) -> None:
        for _ in range(10):
            log.append("export", f"by {number}")

    threads = [threading.Thread(target=partial(write, number)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log.entries()) == 40
    assert log.verify() is None


def test_a_log_that_was_cut_behind_the_databases_back_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    log = AuditLog(Ledger(f"sqlite:///{path}").engine, SALT)
    for _ in range(3):
        log.append("export")
    with sqlite3.connect(path) as connection:
        connection.execute("drop trigger audit_no_delete")
        connection.execute("delete from audit where seq = 3")
    broken = log.verify()
    assert broken is not None
    assert (broken.seq, "ends at entry 2" in broken.what) == (3, True)


def test_another_salt_makes_every_link_another(tmp_path: Path) -> None:
    engine = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}").engine
    AuditLog(engine, SALT).append("export")
    broken = AuditLog(engine, "salt").verify()
    assert broken is not None
    assert broken.seq == 1
    with pytest.raises(ConfigError, match="SNELLO_SALT"):
        AuditLog(engine, "")


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    log = AuditLog(Ledger(f"sqlite:///{path}").engine, SALT)
    with sqlite3.connect(path) as connection:
        connection.execute("drop table audit_seal")
    with pytest.raises(RetryLater, match="its database does not answer"):
        log.append("export")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Entry], str]:
    log = AuditLog(Ledger(f"sqlite:///{tmp_path_factory.mktemp('log') / 'ledger.db'}").engine, SALT)
    for number in range(8):
        log.append("export", f"subject {number % 3}", rows=number)
    with log.engine.connect() as connection:
        return log.entries(), str(connection.execute(text("select seal from audit_seal")).scalar_one())


FIELDS = st.sampled_from(["seq", "at", "actor", "action", "subject", "details", "previous", "hash"])


@given(place=st.integers(0, 7), field=FIELDS, value=st.text(min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_changed_entry_is_found(chain: tuple[list[Entry], str], place: int, field: str, value: str) -> None:
    entries, seal = chain
    before = getattr(entries[place], field)
    after = int(before) + 1 + len(value) if field == "seq" else f"{before}{value}"
    changed = [*entries[:place], replace(entries[place], **{field: after}), *entries[place + 1 :]]
    assert verify(changed, seal, SALT) is not None


@given(kept=st.lists(st.integers(0, 7), max_size=10))
@settings(max_examples=300, deadline=None)
def test_any_dropped_repeated_or_reordered_entry_is_found(chain: tuple[list[Entry], str], kept: list[int]) -> None:
    entries, seal = chain
    broken = verify([entries[place] for place in kept], seal, SALT)
    assert (broken is None) == (kept == list(range(8)))


@given(place=st.integers(0, 7), told=st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_an_entry_hashed_again_without_the_salt_is_found(chain: tuple[list[Entry], str], place: int, told: str) -> None:
    entries, seal = chain
    forged = replace(entries[place], details=told + "!")
    forged = replace(forged, hash=forged.keyed("guessed"))
    assert verify([*entries[:place], forged, *entries[place + 1 :]], seal, SALT) is not None
