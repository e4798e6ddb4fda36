"""Whoever was erased leaves the channel for good, with a proof; and the ledger keeps nothing that names them there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snello.kit.conformance.faults import Kill, KillAfter
from snello.kit.conformance.plans import at
from snello.kit.conformance.runs import KILLED
from snello.kit.conformance.targets.case import case
from snello.kit.conformance.targets.crashes import MOMENTS
from snello.kit.conformance.targets.trial import Trial


def _erased(trial: Trial) -> dict[str, dict[str, Any]]:
    """A channel that holds rows, one of them of somebody who asked to be forgotten since; the others' rows."""
    rows = trial.rows
    assert trial.run(trial.publish(rows)).code == 0
    trial.erase("c001")
    return {key: row for key, row in rows.items() if key != "c001"}


def _forgotten(trial: Trial, rows: dict[str, dict[str, Any]]) -> None:
    """Assert that the channel holds the others' rows alone; a removal may have been told twice, to forget as well."""
    assert trial.held() == trial.shown(rows)
    assert not trial.pending(), "something is left to deliver"
    with trial.ledger() as ledger:
        proofs = ledger.receipts(trial.stage.sync, key="c001")
    assert (proofs[0]["op"], proofs[0]["status"], proofs[0]["reason"]) == ("remove", "delivered", "erased")
    row = trial.ledger_rows()["c001"]
    told = {name: row[name] for name in ("fingerprint", "tried", "handles", "remote_id") if row[name]}
    assert not told, f"the ledger still keeps {sorted(told)} of who was erased"


@case("changes")
def _who_is_erased_leaves_the_channel_with_a_receipt_and_the_ledger_forgets_them(trial: Trial) -> None:
    rows = _erased(trial)
    assert trial.run(trial.publish(rows)).code == 0
    _forgotten(trial, rows)


@case("changes")
def _who_is_erased_goes_and_stays_away_while_the_audience_still_names_them(trial: Trial) -> None:
    rows = _erased(trial)
    assert trial.sync().code == 0
    _forgotten(trial, rows)
    changed = trial.rows | trial.people([1], version=1)
    calls = trial.calls()
    assert trial.run(trial.publish(changed)).code == 0
    assert trial.calls() == calls, "who was erased was sent again"
    _forgotten(trial, rows)


@case("changes")
def _who_had_left_before_they_were_erased_is_forgotten_as_well(trial: Trial) -> None:
    rows = trial.rows
    assert trial.run(trial.publish(rows)).code == 0
    del rows["c001"]
    assert trial.run(trial.publish(rows)).code == 0
    trial.erase("c001")
    assert trial.sync().code == 0
    _forgotten(trial, rows)


def _killed(kind: type[Kill] | type[KillAfter]) -> Callable[[Trial], None]:
    def check(trial: Trial) -> None:
        rows = _erased(trial)
        outcome = trial.run(trial.publish(rows), at(0, kind(trial.runs.pid), trial.subject.writes))
        assert outcome.code == KILLED, outcome.last_line
        assert trial.sync().code == 0
        _forgotten(trial, rows)

    return check


for moment, kind in MOMENTS.items():
    case("changes", "http", name=f"killed_{moment}_the_effect_of_an_erasure_it_forgets_them_with_the_next_run")(
        _killed(kind)
    )
