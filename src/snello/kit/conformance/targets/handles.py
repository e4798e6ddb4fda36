"""What a channel knows people by is taken back with them, and as soon as it is no longer theirs."""

from __future__ import annotations

from collections.abc import Callable

from snello.kit.conformance.faults import Kill, KillAfter
from snello.kit.conformance.plans import at
from snello.kit.conformance.runs import KILLED
from snello.kit.conformance.targets.case import case
from snello.kit.conformance.targets.crashes import MOMENTS, PLACES
from snello.kit.conformance.targets.trial import Trial


@case("changes", "handles")
def _what_people_are_known_by_no_longer_is_taken_back(trial: Trial) -> None:
    rows = trial.rows
    for version in (0, 1, 0):
        rows = trial.people(range(trial.subject.rows), version=version)
        assert trial.run(trial.publish(rows)).code == 0
        trial.delivered(rows)
    rows = trial.people(range(2, trial.subject.rows))
    assert trial.run(trial.publish(rows)).code == 0
    trial.delivered(rows)


def _killed(kind: type[Kill] | type[KillAfter], number: int) -> Callable[[Trial], None]:
    def check(trial: Trial) -> None:
        rows = trial.rows
        assert trial.run(trial.publish(rows)).code == 0
        changed = rows | trial.people([0, 1], version=1)
        outcome = trial.run(trial.publish(changed), at(number, kind(trial.runs.pid), trial.subject.writes))
        assert outcome.code == KILLED, outcome.last_line
        rows = trial.people(range(2, trial.subject.rows))
        assert trial.run(trial.publish(rows)).code == 0
        trial.delivered(rows)

    return check


for moment, kind in MOMENTS.items():
    for place, number in PLACES.items():
        name = f"who_leaves_after_a_kill_{moment}_the_{place}_call_of_a_change_leaves_under_both_identifiers"
        case("changes", "handles", "http", name=name)(_killed(kind, number))
