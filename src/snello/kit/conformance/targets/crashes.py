"""A process may die at any moment: the next run knows what is in doubt, loses nothing and doubles nothing."""

from __future__ import annotations

from collections.abc import Callable

from snello.kit.conformance.faults import Kill, KillAfter
from snello.kit.conformance.plans import at
from snello.kit.conformance.runs import KILLED
from snello.kit.conformance.targets.case import case
from snello.kit.conformance.targets.trial import Trial

MOMENTS: dict[str, type[Kill] | type[KillAfter]] = {"before": Kill, "after": KillAfter}
PLACES = {"first": 0, "second": 1}


def _killed(kind: type[Kill] | type[KillAfter], number: int) -> Callable[[Trial], None]:
    def check(trial: Trial) -> None:
        rows = trial.rows
        _dies(trial, trial.publish(rows), kind, number)
        trial.delivered(rows)
        stay = trial.people(range(2)) | trial.people([2], version=1)
        _dies(trial, trial.publish(stay), kind, number)
        trial.delivered(stay)

    return check


def _dies(trial: Trial, messages: str, kind: type[Kill] | type[KillAfter], number: int) -> None:
    outcome = trial.run(messages, at(number, kind(trial.runs.pid), trial.subject.writes))
    assert outcome.code == KILLED, outcome.last_line
    doubted = {key for key, (status, _) in trial.statuses().items() if status == "in_doubt"}
    assert doubted, "the ledger does not say which rows are in doubt"
    assert trial.sync().code == 0
    proven = {key for key, _, status, code in trial.receipts() if (status, code) == ("in_doubt", "interrupted")}
    assert doubted <= proven, f"no receipt tells of the doubt about {sorted(doubted - proven)}"


for moment, kind in MOMENTS.items():
    for place, number in PLACES.items():
        case("http", name=f"killed_{moment}_the_effect_of_its_{place}_call_it_loses_and_doubles_nothing")(
            _killed(kind, number)
        )
