"""Cases of runs that do not come to their end: what was let through and what comes after is everything, once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from snello.kit.conformance.faults import Kill
from snello.kit.conformance.plans import at
from snello.kit.conformance.taps.case import case
from snello.kit.conformance.taps.trial import Messages, Trial, rows_of

MOST_CUTS, MOST_KILLS, MOST_BYTES = 6, 8, 5


@case()
def a_run_cut_off_at_a_state_is_made_whole_by_the_next(trial: Trial) -> None:
    """A state speaks of what stands before it, and of no more."""
    done = trial.whole()
    wanted = rows_of(done.messages)
    places = [place for place, each in enumerate(done.messages) if each["type"] == "STATE"]
    for place in places[:: max(1, len(places) // MOST_CUTS)]:
        state = done.messages[place]["value"]
        trial.same(rows_of(done.messages[: place + 1], trial.whole(state).messages), wanted)


@case()
def a_state_never_goes_back(trial: Trial) -> None:
    """Nor is a bookmark beyond what was read."""
    states = [each["value"] for each in trial.whole().messages if each["type"] == "STATE"]
    assert states, "no state was written"
    for earlier, later in pairwise(map(_bookmarks, states)):
        back = [stream for stream, value in earlier.items() if stream in later and later[stream] < value]
        assert not back, f"{', '.join(back)}: the bookmark goes back"


@case("http")
def a_run_killed_at_any_call_is_made_whole_by_the_next(trial: Trial) -> None:
    """SIGKILL, at each call in turn; of many calls at some."""
    wanted = rows_of(trial.whole().messages)
    calls = trial.calls()
    for call in range(0, calls, -(-calls // MOST_KILLS)):
        left = trial.killed(at(call, Kill(trial.process.pid)))
        trial.same(rows_of(left, trial.whole(_state(left)).messages), wanted)


@case()
def a_run_killed_at_any_byte_is_made_whole_by_the_next(trial: Trial) -> None:
    """SIGKILL in the middle of what is written, at some places."""
    whole = trial.whole()
    wanted, length = rows_of(whole.messages), len(whole.out.encode())
    for place in range(1, MOST_BYTES + 1):
        left = trial.killed(last_byte=length * place // (MOST_BYTES + 1))
        trial.same(rows_of(left, trial.whole(_state(left)).messages), wanted)


def _state(messages: Messages) -> Any:
    states = [each["value"] for each in messages if each["type"] == "STATE"]
    return states[-1] if states else None


def _bookmarks(state: dict[str, Any]) -> dict[str, str]:
    found = state.get("bookmarks", {})
    return {
        stream: str(each["replication_key_value"])
        for stream, each in found.items()
        if each.get("replication_key_value")
    }
