"""Receipts of one sync."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from snello.activation import Ledger, Size
from snello.activation.feedback import Sent, measure

Snello = Callable[..., Any]


def test_receipts_are_counted_by_status_and_code(hub: Any, snello: Snello) -> None:
    counts = json.loads(snello("receipts", "brevo__long_absent", "--json").out)["counts"]
    found = {(row["status"], row["code"], row["last_run"], row["all_runs"]) for row in counts}
    assert found == {("refused", "invalid_parameter", 1, 1), ("suppressed", "no_consent", 1, 1)}


def test_a_row_is_named_by_its_key(hub: Any, snello: Snello) -> None:
    latest = json.loads(snello("receipts", "webhook__loyal", "--json").out)["latest"]
    assert [(row["key"], row["op"], row["status"]) for row in latest] == [("c1", "upsert", "delivered")]


def test_the_newest_come_first_and_no_more_than_asked_for(hub: Any, snello: Snello) -> None:
    latest = json.loads(snello("receipts", "brevo__long_absent", "--limit", "1", "--json").out)["latest"]
    assert [row["key"] for row in latest] == ["c3"]


def test_one_status_can_be_asked_for(hub: Any, snello: Snello) -> None:
    told = json.loads(snello("receipts", "brevo__long_absent", "--status", "suppressed", "--json").out)
    assert {row["status"] for row in told["latest"]} == {"suppressed"}


def test_what_the_platform_said_stands_beside_what_was_expected(hub: Any, snello: Snello) -> None:
    ledger = Ledger(f"sqlite:///{hub.root / 'ledger.db'}")
    for run_id, matched in (("z1", 60), ("z2", 45)):
        measure(ledger, "webhook__loyal", run_id, Sent(100, 100), Size(900, matched))
    ledger.close()
    said = json.loads(snello("receipts", "webhook__loyal", "--json").out)["said"]
    assert [(row["took"], row["found"], row["forecast"], row["off"]) for row in said] == [
        (100, 60, None, None),
        (100, 45, 60, -0.25),
    ]
    assert "-25.0%" in snello("receipts", "webhook__loyal").out
    [last] = json.loads(snello("status", "--json").out)["said"]
    assert (last["sync"], last["found"], last["forecast"]) == ("webhook__loyal", 45, 60)
    told = snello("status").out
    assert "What platforms said last, beside what was expected" in told
    assert "-25.0%" in told


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["brevo__long_absnt"], "did you mean 'brevo__long_absent'?"),
        (["webhook__loyal", "--status", "refusd"], "did you mean 'refused'?"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(hub: Any, snello: Snello, arguments: list[str], hint: str) -> None:
    told = snello("receipts", *arguments)
    assert (told.code, told.out) == (2, "")
    assert hint in told.err


def test_a_published_sync_that_never_ran_is_no_fault(hub: Any, snello: Snello) -> None:
    (hub.root / "ledger.db").unlink()
    told = snello("receipts", "webhook__loyal")
    assert told.code == 0
    assert "no receipt yet" in told.out


def test_before_any_sync_the_next_step_is_told(empty: Any, snello: Snello) -> None:
    told = snello("receipts", "webhook__loyal")
    assert told.code == 2
    assert "Next: run `meltano run loop`" in told.err


def test_a_ledger_that_does_not_answer_is_told_without_its_password(
    hub: Any, snello: Snello, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNELLO_LEDGER", "postgresql://hub:s3cret@127.0.0.1:1/ledger")
    told = snello("receipts", "webhook__loyal")
    assert told.code == 4
    assert "s3cret" not in told.err
