"""A bad row is data: it gets a receipt with a code, stops nobody, and waits until it changes."""

from __future__ import annotations

from typing import Any

from snello.errors import RowsRefused
from snello.kit.conformance.targets.case import case
from snello.kit.conformance.targets.trial import Trial

NOBODY = "no_match_key"


def _bad(trial: Trial) -> dict[str, tuple[dict[str, Any], str]]:
    """Each row that the channel refuses, with its code, as customers that sort among and after the good ones."""
    found = {}
    for number, (columns, code) in enumerate(trial.subject.bad):
        key = f"c{number:03}x"
        found[key] = ({"customer_id": key, **columns}, code)
    return found


@case("refuses")
def _one_bad_row_among_many_stops_nobody(trial: Trial) -> None:
    rows, bad = trial.rows, _bad(trial)
    outcome = trial.run(trial.publish(rows | {key: row for key, (row, _) in bad.items()}))
    assert outcome.code == 0, outcome.last_line
    trial.holds(rows)
    statuses = trial.statuses()
    assert {key: statuses[key] for key in bad} == {key: ("refused", code) for key, (_, code) in bad.items()}
    assert all(code in outcome.err for _, code in bad.values()), "the run does not tell of the codes"
    assert not trial.pending()


@case("refuses")
def _refused_rows_are_an_exit_code_for_who_asks_for_it(trial: Trial) -> None:
    rows, bad = trial.rows, _bad(trial)
    outcome = trial.run(trial.publish(rows | {key: row for key, (row, _) in bad.items()}), fail_on_refused=True)
    assert outcome.code == RowsRefused.exit_code, outcome.last_line
    trial.holds(rows)


@case("refuses")
def _when_all_rows_are_bad_each_has_its_receipt(trial: Trial) -> None:
    key, (row, code) = next(iter(_bad(trial).items()))
    assert trial.run(trial.publish({key: row})).code == 0
    trial.holds({})
    assert trial.receipts() == [(key, "upsert", "refused", code)]


@case("refuses")
def _a_refused_row_is_not_sent_again_until_it_changes(trial: Trial) -> None:
    key, (row, _code) = next(iter(_bad(trial).items()))
    rows = trial.rows
    trial.run(trial.publish(rows | {key: row}))
    calls = trial.calls()
    assert trial.run(trial.publish(rows | {key: row})).code == 0
    assert trial.calls() == calls, "a refused row was sent again unchanged"
    mended = {key: {"customer_id": key, **trial.subject.columns(900, 0)}}
    assert trial.run(trial.publish(rows | mended)).code == 0
    trial.delivered(rows | mended)


@case("changes", "refuses")
def _a_row_that_turns_bad_keeps_what_was_delivered_and_can_still_be_removed(trial: Trial) -> None:
    rows = trial.rows
    trial.run(trial.publish(rows))
    columns, code = trial.subject.bad[0]
    turned = {"c001": {"customer_id": "c001", **columns}}
    assert trial.run(trial.publish(rows | turned)).code == 0
    assert trial.statuses()["c001"] == ("refused", code)
    kept = {key: row for key, row in rows.items() if key != "c001" or code != NOBODY}
    trial.holds(kept)  # who is known by nothing any more is not kept as who they were
    del rows["c001"]
    assert trial.run(trial.publish(rows)).code == 0
    trial.delivered(rows)
