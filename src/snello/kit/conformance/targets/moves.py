"""Customers who become one have one row, under the key of who they are now; whoever was two is not counted twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snello.kit.conformance.faults import Kill, KillAfter
from snello.kit.conformance.plans import at
from snello.kit.conformance.runs import KILLED
from snello.kit.conformance.targets.case import case
from snello.kit.conformance.targets.crashes import MOMENTS
from snello.kit.conformance.targets.trial import Trial

ELDER = "c000x"
"""Whom c000 turns out to be: nobody whom the channel holds."""


def _merged(trial: Trial) -> dict[str, dict[str, Any]]:
    """The channel holds the younger one's row; the audience from now on the elder's, who is known by something else."""
    rows = trial.rows
    assert trial.run(trial.publish(rows)).code == 0
    trial.merge({"c000": ELDER})
    del rows["c000"]
    return {ELDER: {"customer_id": ELDER, **trial.subject.columns(900, 0)}, **rows}


@case("changes")
def _a_customer_who_became_another_has_one_row_under_the_new_key(trial: Trial) -> None:
    rows = _merged(trial)
    before = len(trial.receipts())
    assert trial.run(trial.publish(rows)).code == 0
    trial.delivered(rows)
    proofs = {("c000", "remove", "delivered", ""), (ELDER, "upsert", "delivered", "")}
    assert set(trial.receipts()[before:]) == proofs
    assert _reasons(trial) == {"moved"}
    assert trial.sync().code == 0
    trial.delivered(rows)


@case("changes")
def _of_two_customers_who_become_one_the_younger_ones_row_goes(trial: Trial) -> None:
    rows = trial.rows
    assert trial.run(trial.publish(rows)).code == 0
    trial.merge({"c000": "c001"})
    del rows["c000"]
    rows |= trial.people([1], version=1)
    assert trial.run(trial.publish(rows)).code == 0
    trial.delivered(rows)
    assert _reasons(trial) == {"merged"}


@case("renames")
def _a_row_that_moves_is_renamed_and_never_out_of_the_channel(trial: Trial) -> None:
    rows = _merged(trial)
    noted = trial.ledger_rows()["c000"]["remote_id"]
    assert trial.run(trial.publish(rows)).code == 0
    trial.delivered(rows)
    assert "c000" not in trial.ledger_rows(), "the ledger still speaks of the row under its old key"
    assert noted in (None, trial.ledger_rows()[ELDER]["remote_id"]), "the row has another number in the channel"


def _killed(kind: type[Kill] | type[KillAfter]) -> Callable[[Trial], None]:
    def check(trial: Trial) -> None:
        rows = _merged(trial)
        outcome = trial.run(trial.publish(rows), at(0, kind(trial.runs.pid), trial.subject.writes))
        assert outcome.code == KILLED, outcome.last_line
        assert trial.sync().code == 0
        trial.delivered(rows)

    return check


for moment, kind in MOMENTS.items():
    case("changes", "http", name=f"killed_{moment}_the_effect_of_a_move_it_loses_and_doubles_nobody")(_killed(kind))


def _reasons(trial: Trial) -> set[str]:
    with trial.ledger() as ledger:
        return {row["reason"] for row in ledger.receipts(trial.stage.sync, key="c000") if row["op"] == "remove"}
