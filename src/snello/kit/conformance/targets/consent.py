"""No consent, no row: what is not a yes is not sent, whoever wrote the message, and a withdrawal is a removal."""

from __future__ import annotations

from typing import Any

from snello.errors import ConfigError
from snello.kit.conformance.targets.case import case
from snello.kit.conformance.targets.differences import records
from snello.kit.conformance.targets.trial import Trial


def never_sent(trial: Trial, row: dict[str, Any]) -> None:
    """Assert that no call carried the texts of a row that say canary."""
    texts = [value for value in row.values() if isinstance(value, str) and "canary" in value]
    for seen in trial.proxy.requests if trial.proxy else []:
        told = seen.body.decode(errors="replace") + seen.path + seen.query
        assert not any(text in told for text in texts), f"{seen.method} {seen.path} carried a row without consent"


@case()
def _unknown_consent_is_never_sent(trial: Trial) -> None:
    rows = trial.rows
    assert trial.run(trial.publish(rows, unknown=["c001"])).code == 0
    trial.holds({key: row for key, row in rows.items() if key != "c001"})
    never_sent(trial, rows["c001"])
    assert ("c001", "upsert", "suppressed", "no_consent") in trial.receipts()


@case("changes")
def _a_consent_that_is_withdrawn_removes_the_row(trial: Trial) -> None:
    rows = trial.rows
    trial.run(trial.publish(rows))
    assert trial.run(trial.publish(rows, refusing=["c001"])).code == 0
    trial.holds({key: row for key, row in rows.items() if key != "c001"})
    assert trial.receipts()[-1] == ("c001", "remove", "delivered", "")
    with trial.ledger() as ledger:
        reasons = {row["reason"] for row in ledger.receipts(trial.stage.sync, key="c001") if row["op"] == "remove"}
    assert reasons == {"no_consent"}


def _gated(trial: Trial, consent: Any) -> None:
    rows = trial.rows

    def wrong(record: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**record, "_consent": consent} if record["_key"] == "c001" else record]

    assert trial.run(records(trial.publish(rows), wrong)).code == 0
    trial.holds({key: row for key, row in rows.items() if key != "c001"})
    never_sent(trial, rows["c001"])
    assert ("c001", "upsert", "suppressed", "no_consent") in trial.receipts()


@case()
def _a_message_that_says_no_is_not_sent_even_if_the_tap_was_wrong(trial: Trial) -> None:
    _gated(trial, {"state": "no", "source": "crm", "observed_at": None, "record_key": None})


@case()
def _a_message_without_a_consent_is_not_sent(trial: Trial) -> None:
    _gated(trial, None)


@case()
def _a_consent_in_other_words_is_not_a_yes(trial: Trial) -> None:
    _gated(trial, {"state": "YES!", "source": "crm", "observed_at": None, "record_key": None})


@case("own_purpose")
def _a_sync_of_another_purpose_is_refused_before_the_first_row(trial: Trial) -> None:
    rows = trial.rows
    other = "service" if trial.stage.terms["purpose"] != "service" else "profiling"
    messages = trial.publish(rows)
    outcome = trial.run(records(messages, lambda record: [{**record, "_purpose": other}]))
    assert outcome.code == ConfigError.exit_code, outcome.last_line
    assert "purpose" in outcome.last_line, outcome.last_line
    assert trial.calls() == 0
