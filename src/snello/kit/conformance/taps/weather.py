"""Cases of a source that has a bad day: what passes by itself costs no row, what does not is told in one sentence."""

from __future__ import annotations

import importlib
import threading
from typing import Any

from snello.kit.conformance.faults import (
    Broken,
    Fault,
    Hold,
    Html,
    Limited,
    Reset,
    ResetAfter,
    Timeout,
    Truncated,
    Unauthorized,
)
from snello.kit.conformance.plans import at, every, once
from snello.kit.conformance.taps.case import case
from snello.kit.conformance.taps.trial import Trial, rows_of
from snello.kit.testing import Run

PATIENCE = 30.0  # seconds after which a tap that was told to wait for one is taken to wait for ever
PASSING: dict[str, Fault] = {
    "many_requests": Limited(),
    "many_requests_and_a_time_to_wait": Limited(1),
    "a_broken_server": Broken(),
    "a_server_under_repair": Html(503),
    "no_answer": Timeout(0.05),
    "a_reset_connection": Reset(),
    "an_answer_that_got_lost": ResetAfter(),
    "half_an_answer": Truncated(),
}


def _survived(fault: Fault) -> Any:
    def check(trial: Trial) -> None:
        calm = trial.whole()
        stormy = trial.whole(plan=every(2, fault))
        trial.same(rows_of(stormy.messages), rows_of(calm.messages))
        assert len(_records(stormy)) == len(_records(calm)), "rows came twice"

    return check


for _name, _fault in PASSING.items():
    case("http", name=f"{_name}_costs_no_row")(_survived(_fault))


@case("http", "renews")
def a_token_that_expires_is_renewed(trial: Trial) -> None:
    """A 401 in the middle."""
    calm = trial.whole()
    trial.same(rows_of(trial.whole(plan=at(1, Unauthorized())).messages), rows_of(calm.messages))


@case("http")
def a_wait_that_is_too_long_is_left_to_the_next_run(trial: Trial) -> None:
    """Exit code 4, and the next run reads what is missing."""
    wanted = rows_of(trial.whole().messages)
    stopped = trial.run(plan=at(trial.calls() // 2, Limited(86_400)))
    _told(stopped, 4)
    trial.same(rows_of(stopped.messages, trial.whole(stopped.state).messages), wanted)


@case("http")
def a_server_that_keeps_silent_is_asked_again(trial: Trial) -> None:
    """The tap's own time-out ends the call: nothing else does while it runs."""
    calm, answered = trial.whole(), threading.Event()
    last = threading.Timer(PATIENCE, answered.set)
    last.start()
    try:
        silent = trial.run(plan=at(trial.calls() // 2, Hold(answered)), **trial.subject.hurried)
        assert not answered.is_set(), "the tap goes on waiting"
    finally:
        answered.set()
        last.cancel()
        last.join()
    assert silent.code == 0, silent.last_line
    trial.same(rows_of(silent.messages), rows_of(calm.messages))
    assert len(_records(silent)) == len(_records(calm)), "rows came twice"


@case("http")
def a_page_for_people_is_told_in_one_sentence(trial: Trial) -> None:
    """It is no data."""
    _told(trial.run(plan=once(Html())), 3)


@case("authenticates")
def wrong_credentials_are_told_in_one_sentence(trial: Trial) -> None:
    """Exit code 2, and no row."""
    done = trial.run(**trial.subject.wrong)
    _told(done, 2)
    assert not _records(done)


@case()
def a_setting_that_is_none_is_told_in_one_sentence(trial: Trial) -> None:
    """With its name."""
    done = trial.run(no_such_setting=1)
    _told(done, 2)
    assert "no_such_setting" in done.last_line


@case()
def a_stream_that_is_none_in_the_catalog_is_told_or_passed_over(trial: Trial) -> None:
    """The catalog may be older than the tap; what is missing is no crash."""
    module, _, name = trial.subject.plugin.partition(":")
    plugin = getattr(importlib.import_module(module), name)
    catalog = plugin(config=trial.config).catalog_dict
    stranger = {"tap_stream_id": "no_such_stream", "schema": {"type": "object", "properties": {}}, "metadata": []}
    done = trial.run(catalog={"streams": [*catalog["streams"], stranger]})
    if done.code in (2, 3):
        _told(done, done.code)
        return
    assert done.code == 0, done.last_line
    trial.same(rows_of(done.messages), rows_of(trial.whole().messages))


def _records(done: Run) -> list[dict[str, Any]]:
    return [each for each in done.messages if each["type"] == "RECORD"]


def _told(done: Run, code: int) -> None:
    assert done.code == code, f"exit code {done.code}: {done.last_line}"
    assert ". Next: " in done.last_line, done.last_line
    assert "Traceback" not in done.err, done.last_line
