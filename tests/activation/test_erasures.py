from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from snello.activation import Erasures, Ledger
from snello.activation.erasures import DONE, FAILED, WAITING, Erasure, Step
from snello.activation.tombstones import Tombstone, erased
from snello.errors import ConfigError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def erasures(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Erasures]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")
    ledger = Ledger(url)
    for sync, key, customer in (
        ("news", "c1", None),
        ("news", "c2", None),
        ("events", "o1", "c1"),
        ("old", "c1", None),
    ):
        row = {"sync": sync, "key": key, "customer": customer, "op": "upsert", "status": "delivered", "run_id": "r"}
        ledger.record([{**row, "fingerprint": "f"}], [row])
    ledger.record(
        [{"sync": "old", "key": "c1", "op": "remove", "status": "delivered", "run_id": "r", "fingerprint": None}]
    )
    ledger.record(
        [{"sync": "never", "key": "c1", "op": "upsert", "status": "refused", "run_id": "r", "fingerprint": None}]
    )
    yield Erasures(ledger, "salt")
    ledger.close()


def begun(erasures: Erasures, name: str = "e1") -> Erasure:
    steps = (Step("raw"), Step("history", WAITING, NOW + timedelta(days=30)))
    asked = Erasure(name, "subject", ("c1",), "desk", "ticket", NOW, None, steps)
    return erasures.begin(asked, [Tombstone("customer", "h1")], rows=3)


def test_an_erasure_its_tombstones_and_its_entry_are_written_together_or_not_at_all(erasures: Erasures) -> None:
    begun(erasures)
    with pytest.raises(Exception, match="does not answer"):
        begun(erasures)  # its name is taken
    assert [one.erasure for one in erasures.all()] == ["e1"]
    assert [entry.action for entry in erasures.log.entries()] == ["erase"]
    assert erasures.log.verify() is None


def test_channels_that_ever_received_the_person_are_told_events_among_them(erasures: Erasures) -> None:
    assert erasures.holding(["c1"]) == {"events": 1, "news": 1}
    begun(erasures)
    assert erasures.holding(["c1"]) == {"events": 1, "news": 1, "old": 1}
    assert {sync: erased(erasures.ledger, sync).column("key").to_pylist() for sync in ("news", "events", "old")} == {
        "news": ["c1"],
        "events": ["o1"],
        "old": ["c1"],
    }


def test_what_was_removed_as_erased_is_not_held_again(erasures: Erasures) -> None:
    one = begun(erasures)
    row = {"op": "remove", "status": "delivered", "run_id": "r2", "fingerprint": None}
    erasures.ledger.record([{**row, "sync": "old", "key": "c1"}])
    erasures.note_keys(one)
    assert "old" not in erasures.holding(["c1"])


def test_what_is_delivered_while_it_runs_is_taken_in(erasures: Erasures) -> None:
    one = begun(erasures)
    late = {"sync": "late", "key": "c1", "op": "upsert", "status": "delivered", "run_id": "r2", "fingerprint": "f"}
    erasures.ledger.record([late])
    assert erasures.note_keys(one) == 5
    assert erased(erasures.ledger, "late").column("key").to_pylist() == ["c1"]


def test_the_last_step_closes_an_erasure(erasures: Erasures) -> None:
    one = begun(erasures)
    erasures.ended("e1", replace(one.steps[0], status=FAILED, attempts=1, message="busy"))
    assert erasures.get("e1").open_now
    assert not erasures.get("e1").steps[1].ready(NOW)
    erasures.ended("e1", replace(one.steps[0], status=DONE, attempts=2))
    assert not erasures.get("e1").open_now
    assert [found.erasure for found in erasures.all(unfinished=True)] == ["e1"]
    erasures.ended("e1", replace(one.steps[1], status=DONE))
    assert erasures.all(unfinished=True) == []
    assert [entry.action for entry in erasures.log.entries()][1:] == [
        "erase step failed",
        "erase step done",
        "erase step done",
    ]


def test_a_step_is_added_once(erasures: Erasures) -> None:
    begun(erasures)
    for _ in range(2):
        erasures.add_step("e1", Step("channel late"))
    assert [step.name for step in erasures.get("e1").steps] == ["raw", "history", "channel late"]


def test_an_erasure_is_found_by_any_of_its_tombstones_and_by_no_other(erasures: Erasures) -> None:
    begun(erasures)
    assert [one.erasure for one in erasures.of_stones([Tombstone("customer", "h1")])] == ["e1"]
    assert erasures.of_stones([Tombstone("customer", "h2")]) == []


def test_another_salt_is_refused(erasures: Erasures) -> None:
    begun(erasures)
    erasures.check_salt()
    with pytest.raises(ConfigError, match="another salt"):
        Erasures(erasures.ledger, "pepper").check_salt()
