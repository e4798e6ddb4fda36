"""The whole is replaced or it is not: whatever becomes of a session, the channel never holds half an audience."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snello.errors import RetryLater
from snello.kit.conformance.faults import Broken, Kill, KillAfter
from snello.kit.conformance.plans import at, first_of
from snello.kit.conformance.runs import KILLED
from snello.kit.conformance.targets.case import case
from snello.kit.conformance.targets.trial import Trial

Rows = dict[str, dict[str, Any]]


def _replaced(trial: Trial) -> tuple[Rows, int]:
    """The channel after a first session: its rows, and how many calls that change something it took."""
    rows = trial.rows
    trial.mode("replace")
    assert trial.run(trial.publish(rows)).code == 0
    trial.delivered(rows)
    return rows, trial.writes()


def _others(trial: Trial) -> Rows:
    """As many rows, of which one went, one came, and one changed."""
    count = trial.subject.rows
    return trial.people(range(1, count + 1)) | trial.people([2], version=1)


def _still(trial: Trial, rows: Rows, statuses: dict[str, tuple[str, str]]) -> None:
    """Assert that the channel is as it was and the ledger says nothing else, and that the next run mends it."""
    trial.holds(rows)
    now = {key: trial.statuses()[key] for key in statuses}
    told = {key for key, status in now.items() if status != statuses[key] and status[0] != "in_doubt"}
    assert not told, f"the ledger says what did not happen, of {sorted(told)}"
    assert trial.sync().code == 0
    trial.delivered(_others(trial))


@case("replaces")
def _a_session_puts_the_whole_in_the_place_of_what_was_there(trial: Trial) -> None:
    _replaced(trial)
    before, others = len(trial.receipts()), _others(trial)
    assert trial.run(trial.publish(others)).code == 0
    trial.delivered(others)
    went, came = ("c000", "remove", "delivered", ""), (f"c{trial.subject.rows:03}", "upsert", "delivered", "")
    assert sorted(trial.receipts()[before:]) == [went, ("c002", "upsert", "delivered", ""), came]


@case("replaces")
def _a_whole_that_is_there_already_is_not_sent_again(trial: Trial) -> None:
    rows, calls = _replaced(trial)[0], trial.calls()
    assert trial.run(trial.publish(rows)).code == 0
    assert trial.calls() == calls, "a run without changes called the channel"


@case("replaces")
def _who_withdrew_is_not_in_the_whole(trial: Trial) -> None:
    rows, _ = _replaced(trial)
    assert trial.run(trial.publish(rows, refusing=["c001"])).code == 0
    trial.delivered({key: row for key, row in rows.items() if key != "c001"})


@case("replaces")
def _messages_that_end_before_all_rows_came_replace_nothing(trial: Trial) -> None:
    rows, _ = _replaced(trial)
    statuses = trial.statuses()
    lines = trial.publish(_others(trial)).splitlines()
    while '"RECORD"' not in lines[-1]:
        lines.pop()
    outcome = trial.run("\n".join(lines[:-1]) + "\n")
    assert outcome.code == RetryLater.exit_code, outcome.last_line
    _still(trial, rows, statuses)


@case("replaces", "http", "whole")
def _a_channel_that_fails_within_a_session_goes_on_holding_the_old_whole(trial: Trial) -> None:
    rows, calls = _replaced(trial)
    statuses, messages = trial.statuses(), trial.publish(_others(trial))
    plan = first_of(*(at(number, Broken(), trial.subject.writes) for number in range(calls - 1, calls + 8)))
    outcome = trial.run(messages, plan, retry_attempts=2)
    assert outcome.code == RetryLater.exit_code, outcome.last_line
    _still(trial, rows, statuses)


def _killed(kind: type[Kill] | type[KillAfter], number: int) -> Callable[[Trial], None]:
    def check(trial: Trial) -> None:
        rows, calls = _replaced(trial)
        assert calls > 1, "a session of one call has no middle: set a smaller batch in `config`"
        statuses, messages = trial.statuses(), trial.publish(_others(trial))
        outcome = trial.run(messages, at(number % calls, kind(trial.runs.pid), trial.subject.writes))
        assert outcome.code == KILLED, outcome.last_line
        _still(trial, rows, statuses)

    return check


case("replaces", "http", name="killed_before_the_first_call_of_a_session_the_old_whole_stays")(_killed(Kill, 0))
DEATHS: dict[str, tuple[type[Kill] | type[KillAfter], int]] = {
    "after_the_first_call": (KillAfter, 0),
    "before_the_last_call": (Kill, -1),
}
for words, (kind, number) in DEATHS.items():
    case("replaces", "http", "whole", name=f"killed_{words}_of_a_session_the_old_whole_stays")(_killed(kind, number))


@case("replaces", "http")
def _killed_after_the_last_call_of_a_session_the_new_whole_is_there_once(trial: Trial) -> None:
    _, calls = _replaced(trial)
    others = _others(trial)
    outcome = trial.run(trial.publish(others), at(calls - 1, KillAfter(trial.runs.pid), trial.subject.writes))
    assert outcome.code == KILLED, outcome.last_line
    trial.holds(others)
    assert {key for key, (status, _) in trial.statuses().items() if status == "in_doubt"} >= {"c000", "c002"}
    assert trial.sync().code == 0
    trial.delivered(others)
