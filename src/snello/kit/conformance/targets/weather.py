"""Bad weather: what a channel and the way to it do on bad days costs time, never a row, and never doubles one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from snello.errors import ConfigError, RetryLater
from snello.kit.conformance.faults import (
    Broken,
    BrokenAfter,
    Fault,
    Html,
    HtmlAfter,
    Limited,
    Reordered,
    Reset,
    ResetAfter,
    Slow,
    TimeoutAfter,
    Truncated,
    Unauthorized,
)
from snello.kit.conformance.plans import always, at, every
from snello.kit.conformance.targets.case import case
from snello.kit.conformance.targets.trial import Trial

Faults = Callable[[], Fault]

PASSING: dict[str, Faults] = {
    "a_429_with_seconds": lambda: Limited(1),
    "a_429_with_a_date": lambda: Limited(datetime.now(UTC) + timedelta(seconds=2)),
    "a_429_that_does_not_say_when": Limited,
    "a_500_before_the_effect": Broken,
    "a_503_before_the_effect": lambda: Broken(503),
    "a_500_after_the_effect": BrokenAfter,
    "a_reset_before_the_effect": Reset,
    "a_reset_after_the_effect": ResetAfter,
    "an_answer_cut_in_half_after_the_effect": Truncated,
    "an_answer_that_never_comes_after_the_effect": lambda: TimeoutAfter(60),
    "a_slow_answer": lambda: Slow(0.02),
}
LASTING: dict[str, Faults] = {
    "a_429": lambda: Limited(0),
    "a_500_before_the_effect": Broken,
    "a_500_after_the_effect": BrokenAfter,
    "a_reset_before_the_effect": Reset,
    "a_reset_after_the_effect": ResetAfter,
}
LONG: dict[str, Faults] = {
    "seconds": lambda: Limited(60),
    "a_date": lambda: Limited(datetime.now(UTC) + timedelta(seconds=60)),
}


def _passing(fault: Faults) -> Callable[[Trial], None]:
    def check(trial: Trial) -> None:
        rows = trial.rows
        outcome = trial.run(trial.publish(rows), at(1, fault(), trial.subject.writes), timeout=1)
        assert outcome.code == 0, outcome.last_line
        trial.delivered(rows)
        stay = trial.people(range(2)) | trial.people([2], version=1)
        outcome = trial.run(trial.publish(stay), at(0, fault(), trial.subject.writes), timeout=1)
        assert outcome.code == 0, outcome.last_line
        trial.delivered(stay)

    return check


def _lasting(fault: Faults) -> Callable[[Trial], None]:
    def check(trial: Trial) -> None:
        rows = trial.rows
        outcome = trial.run(trial.publish(rows), always(fault(), trial.subject.writes), retry_attempts=2)
        assert outcome.code == RetryLater.exit_code, outcome.last_line
        tried = {status for status, _ in trial.statuses().values()}
        assert tried == {"retrying"}, f"rows of a channel that does not answer are {tried}"
        assert trial.sync().code == 0
        trial.delivered(rows)

    return check


def _long(fault: Faults) -> Callable[[Trial], None]:
    def check(trial: Trial) -> None:
        rows = trial.rows
        outcome = trial.run(trial.publish(rows), at(1, fault(), trial.subject.writes), max_wait=5)
        assert outcome.code == RetryLater.exit_code, outcome.last_line
        assert "wait" in outcome.last_line, outcome.last_line
        assert trial.sync().code == 0
        trial.delivered(rows)

    return check


for words, fault in PASSING.items():
    case("http", name=f"{words}_is_lived_through_and_every_row_arrives_once")(_passing(fault))
for words, fault in LASTING.items():
    case("http", name=f"{words}_that_lasts_is_told_and_left_to_the_next_run")(_lasting(fault))
for words, fault in LONG.items():
    case("http", name=f"a_wait_longer_than_allowed_given_as_{words}_is_left_to_a_later_run")(_long(fault))


@case("http")
def _with_every_third_call_failing_after_its_effect_every_row_arrives_once(trial: Trial) -> None:
    rows = trial.rows
    outcome = trial.run(trial.publish(rows), every(3, BrokenAfter()), retry_attempts=5)
    assert outcome.code == 0, outcome.last_line
    trial.delivered(rows)


@case("http", "authenticates")
def _a_token_that_expires_in_the_middle_costs_no_row(trial: Trial) -> None:
    rows = trial.rows
    first = trial.run(trial.publish(rows), at(1, Unauthorized(), trial.subject.writes))
    if first.code != 0:  # a target that can renew its token goes on
        assert first.code == ConfigError.exit_code, first.last_line
        assert "401" in first.last_line, first.last_line
        statuses = {status for status, _ in trial.statuses().values()}
        assert statuses <= {"delivered", "retrying"}, f"rows that were not judged are {statuses}"
        assert trial.sync().code == 0
    trial.delivered(rows)


@case("http", "authenticates")
def _a_token_that_is_no_longer_good_ends_the_run_with_the_cure(trial: Trial) -> None:
    outcome = trial.run(trial.publish(trial.rows), always(Unauthorized()))
    assert outcome.code == ConfigError.exit_code, outcome.last_line
    trial.holds({})


@case("http", "answers_by_row")
def _answers_in_another_order_are_read_by_key(trial: Trial) -> None:
    rows = trial.rows
    assert trial.run(trial.publish(rows), always(Reordered())).code == 0
    trial.delivered(rows)
    stay = trial.people(range(2), version=1)
    assert trial.run(trial.publish(stay), always(Reordered())).code == 0
    trial.delivered(stay)


@case("http", "answers_by_row", "refuses")
def _a_refusal_in_another_order_falls_on_the_row_that_was_refused(trial: Trial) -> None:
    rows, (columns, code) = trial.rows, trial.subject.bad[0]
    bad = {"c000x": {"customer_id": "c000x", **columns}}
    assert trial.run(trial.publish(rows | bad), always(Reordered())).code == 0
    assert trial.statuses()["c000x"] == ("refused", code)
    trial.holds(rows)


@case("http", "says_json")
def _a_page_for_people_is_no_answer_of_the_channel(trial: Trial) -> None:
    rows = trial.rows
    outcome = trial.run(trial.publish(rows), at(1, HtmlAfter(), trial.subject.writes))
    assert outcome.code in (0, ConfigError.exit_code, RetryLater.exit_code), outcome.last_line
    assert trial.sync().code == 0
    trial.delivered(rows)


@case("http", "says_json")
def _a_page_for_people_instead_of_the_channel_delivers_nothing(trial: Trial) -> None:
    rows = trial.rows
    outcome = trial.run(trial.publish(rows), always(Html()))
    assert outcome.code in (ConfigError.exit_code, RetryLater.exit_code), outcome.last_line
    trial.holds({})
    assert trial.sync().code == 0
    trial.delivered(rows)
