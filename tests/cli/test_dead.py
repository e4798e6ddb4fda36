"""Dead letters on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from snello.activation import Ledger

Snello = Callable[..., Any]
SYNC = "webhook__loyal"


@pytest.fixture
def letters(hub: Any) -> Iterator[Ledger]:
    """A ledger in which three rows are dead and one is delivered; a fourth is a removal that was refused."""
    with closing(Ledger(hub.ledger)) as ledger:
        row = {"sync": SYNC, "op": "upsert", "tried": "f1", "attempt": 1, "batch": None, "run_id": "a1"}
        same = {**row, "fingerprint": None, "remote_id": None, "customer": None}
        ledger.record(
            [
                {**same, "key": "c2", "status": "refused", "code": "invalid_email"},
                {**same, "key": "c3", "status": "dead", "code": "timeout", "attempt": 10},
                {**same, "key": "c4", "status": "refused", "code": "invalid_email"},
                {**same, "key": "c5", "status": "refused", "code": "locked", "op": "remove", "fingerprint": "f1"},
            ]
        )
        yield ledger


def stand(ledger: Ledger) -> dict[str, str]:
    return {key: row["status"] for key, row in ledger.lookup(SYNC, ["c2", "c3", "c4", "c5"]).items()}


def test_the_list_counts_by_code_and_says_what_to_do(letters: Ledger, snello: Snello) -> None:
    found = json.loads(snello("dead", "list", SYNC, "--json").out)
    codes = {row["code"]: (row["rows"], row["todo"].split(";")[0]) for row in found["codes"]}
    assert codes == {
        "invalid_email": (2, "mend the value at its source"),
        "timeout": (1, "the channel did not answer in time"),
        "locked": (1, "the channel still holds the row"),
    }
    assert [row["key"] for row in found["shown"]] == ["c2", "c3", "c4", "c5"]


def test_all_syncs_are_listed_together_and_one_code_alone(letters: Ledger, snello: Snello) -> None:
    every = json.loads(snello("dead", "list", "--json").out)
    assert {row["sync"] for row in every["shown"]} == {SYNC, "brevo__long_absent"}
    one = snello("dead", "list", SYNC, "--code", "timeout")
    assert (one.code, "c3" in one.out, "c2" in one.out) == (0, True, False)


def test_a_hub_without_dead_letters_says_so(empty: Any, snello: Snello) -> None:
    told = snello("dead", "list")
    assert told.code == 0
    assert "No dead letter" in told.out
    assert not (empty.root / "ledger.db").exists()


def test_a_row_tells_its_story_without_its_values(letters: Ledger, snello: Snello, canary: str) -> None:
    snello("dead", "retry", SYNC, "c3", "--by", "ops", "--reason", "the channel is back")
    told = snello("dead", "show", SYNC, "c3")
    assert told.code == 0
    assert "ops: the channel is back" in told.out
    assert canary not in told.out


def test_a_retry_begins_anew_and_has_a_receipt_with_its_author(letters: Ledger, snello: Snello) -> None:
    told = snello("dead", "retry", SYNC, "--code", "invalid_email", "--by", "ops", "--reason", "list mended")
    assert told.code == 0
    assert "2 rows are sent again by the next run of webhook__loyal" in told.out
    assert stand(letters) == {"c2": "retrying", "c3": "dead", "c4": "retrying", "c5": "refused"}
    assert {row["attempt"] for row in letters.lookup(SYNC, ["c2", "c4"]).values()} == {0}
    [receipt] = letters.receipts(SYNC, key="c2")
    assert (receipt["status"], receipt["code"], receipt["reason"]) == ("retrying", "asked_again", "ops: list mended")


def test_a_drop_leaves_removals_as_they_are(letters: Ledger, snello: Snello) -> None:
    told = snello("dead", "drop", SYNC, "--all", "--reason", "left the company", "--json")
    assert json.loads(told.out)["rows"] == 3
    assert stand(letters) == {"c2": "dropped", "c3": "dropped", "c4": "dropped", "c5": "refused"}
    assert letters.receipts(SYNC, key="c3")[0]["status"] == "dropped"


def test_what_was_dropped_is_still_listed_and_may_be_retried(letters: Ledger, snello: Snello) -> None:
    snello("dead", "drop", SYNC, "c2", "--reason", "why not")
    listed = json.loads(snello("dead", "list", SYNC, "--json").out)["shown"]
    assert [(row["status"], row["todo"]) for row in listed if row["key"] == "c2"] == [
        ("dropped", "it is sent again when its payload changes, or retry")
    ]
    assert snello("dead", "retry", SYNC, "c2").code == 0
    assert stand(letters)["c2"] == "retrying"


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["list", "webhook__loyl"], 2, "did you mean 'webhook__loyal'?"),
        (["show", SYNC, "c99"], 2, "it never sent 'c99'"),
        (["retry", "webhook__loyl", "c2"], 2, "did you mean 'webhook__loyal'?"),
        (["retry", SYNC], 2, "it is not said which. Next: name keys, or --code, or --all."),
        (["retry", SYNC, "c2", "--all"], 2, "it is not said which"),
        (["retry", SYNC, "c1"], 2, "'c1' is none of them"),
        (["retry", SYNC, "--code", "timeot"], 2, "did you mean 'timeout'?"),
        (["drop", SYNC, "c2"], 2, "a decision needs a reason. Next: give it with --reason."),
        (["drop", SYNC, "c2", "--reason", "ada@posta.example left"], 2, "the reason names an address"),
        (["drop", SYNC, "c5", "--reason", "x"], 2, "a removal is owed and is not dropped"),
    ],
)
def test_a_wrong_choice_is_told_in_one_sentence(
    letters: Ledger, snello: Snello, arguments: list[str], code: int, hint: str
) -> None:
    told = snello("dead", *arguments)
    assert (told.code, told.out) == (code, "")
    assert hint in told.err


def test_nothing_is_decided_while_a_run_is_under_way(letters: Ledger, snello: Snello) -> None:
    letters.locks.take(SYNC, "target")
    told = snello("dead", "retry", SYNC, "c2")
    assert told.code == 4
    assert "another run of it is under way" in told.err
    assert stand(letters)["c2"] == "refused"
