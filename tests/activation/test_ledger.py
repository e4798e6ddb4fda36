from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from snello.activation import Ledger
from snello.errors import ConfigError, RetryLater


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path}/state/ledger.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres")
    opened = Ledger(url)
    yield opened
    opened.close()


def delivery(key: str, **more: Any) -> dict[str, Any]:
    row = {"sync": "s", "key": key, "fingerprint": "f1", "tried": "f1", "status": "delivered", "op": "upsert"}
    return {**row, "code": "", "attempt": 1, "batch": None, "remote_id": None, "run_id": "r1", **more}


def receipt(key: str, **more: Any) -> dict[str, Any]:
    row = {"run_id": "r1", "sync": "s", "key": key, "op": "upsert", "status": "delivered", "code": ""}
    return {**row, "reason": "", "attempt": 1, "fingerprint": "f1", **more}


def test_a_delivery_replaces_the_one_before_and_receipts_pile_up(ledger: Ledger) -> None:
    ledger.record([delivery("c1")], [receipt("c1")])
    ledger.record([delivery("c1", fingerprint="f2", tried="f2", run_id="r2")], [receipt("c1", run_id="r2")])
    assert ledger.settled("s").to_pylist() == [{"key": "c1", "fingerprint": "f2"}]
    assert [row["run_id"] for row in ledger.receipts("s", key="c1")] == ["r2", "r1"]


def test_settled_and_unsettled_rows_come_back_as_text_columns_with_nulls(ledger: Ledger) -> None:
    late = delivery("zz", status="refused", fingerprint=None, tried="f9", code="invalid_email", batch="b-1")
    ledger.record([delivery(f"c{n:05}", status="retrying", fingerprint=None) for n in range(2_000)] + [late])
    assert ledger.settled("s").num_rows == 0
    unsettled = ledger.unsettled("s")
    assert unsettled.column("batch").null_count == 2_000
    expected = {"key": "zz", "fingerprint": None, "tried": "f9", "status": "refused", "op": "upsert", "batch": "b-1"}
    assert max(unsettled.to_pylist(), key=lambda row: row["key"]) == expected


def test_a_lookup_of_many_keys_finds_those_of_its_own_sync(ledger: Ledger) -> None:
    ledger.record([delivery(f"c{n}") for n in range(1_200)] + [delivery("c1", sync="other")])
    found = ledger.lookup("s", [f"c{n}" for n in range(0, 2_400, 2)])
    assert len(found) == 600
    assert {row["sync"] for row in found.values()} == {"s"}


def test_a_run_that_never_ended_is_closed_by_the_next(ledger: Ledger) -> None:
    ledger.start({"run_id": "r1", "sync": "s", "upserts": 5})
    ledger.start({"run_id": "r2", "sync": "s"})
    ledger.finish("r2", "s", "delivered", refused=1)
    outcomes = {row["run_id"]: row["outcome"] for row in ledger.recent_runs("s")}
    assert outcomes == {"r1": "interrupted", "r2": "delivered"}
    assert all(row["finished_at"] for row in ledger.recent_runs())


def test_the_standing_counts_rows_by_op_status_and_code(ledger: Ledger) -> None:
    ledger.record([delivery("a"), delivery("b"), delivery("c", status="refused", code="invalid_email")])
    assert ledger.standing("s") == {("upsert", "delivered", ""): 2, ("upsert", "refused", "invalid_email"): 1}


def test_a_second_holder_of_a_lock_is_told_to_come_later(ledger: Ledger) -> None:
    other = Ledger(ledger.engine.url.render_as_string(hide_password=False))
    ledger.locks.take("s", "tap")
    ledger.locks.take("s", "tap")
    with pytest.raises(RetryLater, match="another run of it is under way"):
        other.locks.take("s", "tap")
    other.locks.check_free("another", "tap")
    ledger.locks.release("s", "tap")
    other.locks.take("s", "tap")
    other.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_new_ledger_may_be_opened_by_many_at_one_moment(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    fresh = request.getfixturevalue("postgres") if kind == "postgresql" else f"sqlite:///{tmp_path}/ledger.db"
    ready = threading.Barrier(6)

    def opened(number: int) -> None:
        ready.wait(60)
        ledger = Ledger(fresh)
        ledger.record([delivery(f"c{number}")])
        ledger.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(opened, range(6)))
    ledger = Ledger(fresh)
    assert ledger.settled("s").num_rows == 6
    ledger.close()


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("sqlite://", "in memory"),
        ("mysql://localhost/x", "mysql is not supported"),
        ("no url", "does not parse"),
        ("oracle+nodriver://x", "oracle is not supported"),
    ],
)
def test_a_wrong_url_is_told_with_the_right_forms(url: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what) as fault:
        Ledger(url)
    assert "sqlite:///path/ledger.db or postgresql://" in str(fault.value)


def test_a_locked_database_is_told_without_statement_or_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snello.activation.engine.BUSY_SECONDS", 0.1)
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    holder.execute("begin immediate")
    with pytest.raises(RetryLater) as fault:
        ledger.record([delivery("c1")])
    assert str(fault.value) == (
        "ledger: another process has kept it busy for too long. Next: wait for its end, then run again."
    )
    holder.close()
    ledger.close()


def test_a_database_that_is_down_is_told_without_its_password() -> None:
    with pytest.raises(RetryLater) as fault:
        Ledger("postgresql://user:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(fault.value)


def test_a_full_disk_is_told_and_leaves_what_was_written(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    ledger.record([delivery("c1")])
    with ledger.engine.connect() as connection:  # the pool has one connection, which the next writer gets
        pages = connection.exec_driver_sql("pragma page_count").scalar_one()
        connection.exec_driver_sql(f"pragma max_page_count = {pages}")
    with pytest.raises(RetryLater, match=r"it has no room left to write\. Next: make room"):
        ledger.record([delivery(f"c{n}") for n in range(2_000)], [receipt("c1")])
    assert ledger.settled("s").num_rows == 1
    ledger.close()


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("customer_id,email\n" * 100)
    with pytest.raises(ConfigError, match="its file is no SQLite database"):
        Ledger(f"sqlite:///{tmp_path}/ledger.db")


def test_a_ledger_in_postgresql_that_takes_no_writes_is_told(postgres: str) -> None:
    ledger = Ledger(postgres)
    ledger.close()
    standby = Ledger(f"{postgres}{'&' if '?' in postgres else '?'}options=-cdefault_transaction_read_only%3Don")
    with pytest.raises(ConfigError, match=r"nothing is sent without them\. Next: point"):
        standby.record([delivery("c1")])
    standby.close()


def test_an_older_ledger_gets_the_columns_that_came_since(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    Ledger(url).close()
    with sqlite3.connect(tmp_path / "ledger.db") as old:
        old.execute("alter table runs drop column columns")
    ledger = Ledger(url)
    ledger.start({"run_id": "r1", "sync": "s", "columns": "{}"})
    assert ledger.last_run("s")["columns"] == "{}"
    assert ledger.last_run("another") == {}
    ledger.close()


def test_one_reading_parts_settled_rows_from_the_others(ledger: Ledger) -> None:
    assert [table.num_rows for table in ledger.standing_rows("s")] == [0, 0]
    ledger.record([delivery("c1"), delivery("c2", fingerprint="f2")])
    assert _both(ledger) == _apart(ledger)
    assert [len(rows) for rows in _both(ledger)] == [2, 0]
    others = [("retrying", "upsert"), ("delivered", "remove"), ("in_doubt", "upsert"), ("refused", "remove")]
    ledger.record([delivery(f"d{n}", status=status, op=op) for n, (status, op) in enumerate(others)])
    ledger.record([delivery("c2", status="dead", fingerprint=None, tried="f3")])
    assert _both(ledger) == _apart(ledger)
    assert [len(rows) for rows in _both(ledger)] == [1, 5]


def _both(ledger: Ledger) -> list[list[dict[str, Any]]]:
    return [sorted(table.to_pylist(), key=lambda row: row["key"]) for table in ledger.standing_rows("s")]


def _apart(ledger: Ledger) -> list[list[dict[str, Any]]]:
    tables = (ledger.settled("s"), ledger.unsettled("s"))
    return [sorted(table.to_pylist(), key=lambda row: row["key"]) for table in tables]
