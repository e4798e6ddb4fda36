"""Only differences travel, nobody else's rows are touched, and what cannot be a sync is turned away."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from snello.errors import ConfigError, ContractError
from snello.kit.conformance.targets.case import case
from snello.kit.conformance.targets.trial import Trial
from snello.kit.conformance.unverified import unverified


def records(messages: str, change: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> str:
    """The messages with each record replaced by what ``change`` makes of it."""
    lines: list[str] = []
    for line in messages.splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            lines += [json.dumps({**message, "record": record}) for record in change(message["record"])]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


@case()
def _an_audience_becomes_what_the_channel_holds_with_a_receipt_a_row(trial: Trial) -> None:
    rows = trial.rows
    assert trial.run(trial.publish(rows)).code == 0
    trial.delivered(rows)
    assert sorted(trial.receipts()) == [(key, "upsert", "delivered", "") for key in sorted(rows)]


@case()
def _a_second_run_without_a_change_makes_no_call(trial: Trial) -> None:
    rows = trial.rows
    trial.run(trial.publish(rows))
    calls = trial.calls()
    assert trial.run(trial.publish(rows)).code == 0
    assert trial.calls() == calls, "a run without changes called the channel"


@case()
def _a_replay_of_the_same_messages_sends_nothing(trial: Trial) -> None:
    rows = trial.rows
    messages = trial.publish(rows)
    trial.run(messages)
    first = trial.writes()
    assert trial.run(messages).code == 0
    assert trial.writes() == first, "a replay was sent once more"
    trial.delivered(rows)


@case("changes")
def _a_replay_of_an_older_run_does_not_bring_back_what_was_since_removed(trial: Trial) -> None:
    rows = trial.rows
    old = trial.publish(rows)
    trial.run(old)
    stay = trial.people(range(1, 3)) | trial.people([0], version=1)
    trial.run(trial.publish(stay))
    assert trial.run(old).code == 0
    trial.delivered(stay)


@case("changes")
def _a_change_of_one_row_sends_one_row(trial: Trial) -> None:
    rows = trial.rows
    trial.run(trial.publish(rows))
    before = len(trial.receipts())
    rows |= trial.people([3], version=1)
    assert trial.run(trial.publish(rows)).code == 0
    trial.delivered(rows)
    assert trial.receipts()[before:] == [("c003", "upsert", "delivered", "")]


@case("changes")
def _members_who_leave_the_audience_leave_the_channel(trial: Trial) -> None:
    trial.run(trial.publish(trial.rows))
    before = len(trial.receipts())
    stay = trial.people(range(1, trial.subject.rows))
    assert trial.run(trial.publish(stay)).code == 0
    trial.delivered(stay)
    assert trial.receipts()[before:] == [("c000", "remove", "delivered", "")]


@case("foreign")
def _rows_of_others_stay_as_they_are(trial: Trial) -> None:
    subject = trial.subject
    assert subject.seed
    assert subject.foreign
    subject.seed()
    before = subject.foreign()
    assert before, "no row of others was seeded"
    for rows in (trial.rows, trial.people([0, 1], version=1), trial.people([1])):
        assert trial.run(trial.publish(rows)).code == 0
        trial.holds(rows)
        assert subject.foreign() == before, "rows of others were touched"


@case("lost")
def _a_row_that_somebody_took_away_is_removed_without_a_fuss(trial: Trial) -> None:
    trial.run(trial.publish(trial.rows))
    assert trial.subject.lose
    trial.subject.lose("c000")
    stay = trial.people(range(1, trial.subject.rows))
    assert trial.run(trial.publish(stay)).code == 0
    trial.delivered(stay)


@case("lost")
def _a_row_that_somebody_took_away_comes_back_when_it_changes(trial: Trial) -> None:
    rows = trial.rows
    trial.run(trial.publish(rows))
    assert trial.subject.lose
    trial.subject.lose("c000")
    rows |= trial.people([0], version=1)
    assert trial.run(trial.publish(rows)).code == 0
    trial.delivered(rows)


@case()
def _a_record_that_comes_twice_in_a_batch_has_its_effect_once(trial: Trial) -> None:
    rows = trial.rows
    twice = records(trial.publish(rows), lambda record: [record, record])
    assert trial.run(twice).code == 0
    trial.delivered(rows)


@case()
def _an_audience_that_names_a_customer_twice_is_sent_to_nobody(trial: Trial) -> None:
    rows = trial.rows
    told = ""
    try:
        trial.publish({**rows, "again": {**trial.people([0], version=1)["c000"]}})
    except ContractError as fault:
        told = str(fault)
    assert "repeat" in told, "tap-activation let a customer through twice"
    assert trial.calls() == 0


@case()
def _a_stream_that_is_no_sync_is_refused_before_the_first_call(trial: Trial) -> None:
    schema = {"type": "object", "properties": {"id": {"type": "string"}}}
    lines = [
        {"type": "SCHEMA", "stream": "orders", "schema": schema, "key_properties": ["id"]},
        {"type": "RECORD", "stream": "orders", "record": {"id": "canary"}},
        {"type": "STATE", "value": {"bookmarks": {}}},
    ]
    outcome = trial.run("".join(json.dumps(line) + "\n" for line in lines))
    assert outcome.code == ContractError.exit_code, outcome.last_line
    assert trial.calls() == 0


@case()
def _messages_that_end_in_the_middle_of_a_line_leave_no_state(trial: Trial) -> None:
    rows = trial.rows
    messages = trial.publish(rows)
    outcome = trial.run(messages[: len(messages) * 2 // 3])
    assert outcome.code == ContractError.exit_code, outcome.last_line
    assert trial.sync().code == 0
    trial.delivered(rows)


@case("http")
def _a_certificate_that_does_not_verify_ends_the_run_before_a_row_is_sent(trial: Trial) -> None:
    rows = trial.rows
    messages = trial.publish(rows)
    with unverified() as url:
        outcome = trial.run(messages, **trial.subject.config(url))
    assert outcome.code == ConfigError.exit_code, outcome.last_line
    assert "certificate" in outcome.last_line, outcome.last_line
    trial.holds({})
    assert trial.sync().code == 0
    trial.delivered(rows)
