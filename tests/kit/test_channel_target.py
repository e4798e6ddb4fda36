from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit.channel import ActivationSink, ActivationTarget, BatchRefused, Change, ChannelSettings, Verdict
from snello.kit.channel.rehearsal import Rehearsal


class Rows(ActivationSink[ChannelSettings]):
    """Takes what comes, as the test says."""

    name, purpose, max_size = "rows", "email_marketing", 4
    batches: ClassVar[list[list[Change]]] = []
    judge: ClassVar[Callable[[Change], Verdict | None]]
    closed: ClassVar[int] = 0

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self.batches.append(list(changes))
        for change in changes:
            verdict = type(self).judge(change)
            if verdict is not None:
                yield verdict

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return self.upsert(changes)

    def close(self) -> None:
        Rows.closed += 1


class TargetRows(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-rows", (Rows,)


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    Rows.batches, Rows.closed = [], 0
    Rows.judge = staticmethod(lambda change: Verdict.delivered(change.key))  # type: ignore[method-assign]
    return Rehearsal(tmp_path, purpose="email_marketing", channel="email", max_removal_share=1)


def judged(judge: Callable[[Change], Verdict | None]) -> None:
    Rows.judge = staticmethod(judge)  # type: ignore[method-assign]


def people(count: int, value: int = 1) -> list[dict[str, Any]]:
    return [{"customer_id": f"c{n}", "value": value} for n in range(count)]


def receipts(stage: Rehearsal) -> list[tuple[str, str, str, str]]:
    ledger = stage.ledger()
    found = [(row["key"], row["op"], row["status"], row["code"]) for row in reversed(ledger.receipts(stage.sync))]
    ledger.close()
    return found


def test_batches_are_full_and_of_one_kind(stage: Rehearsal) -> None:
    stage.publish(people(6))
    stage.run(TargetRows, {})
    stage.publish([*people(2, value=2), {"customer_id": "c9", "value": 1}])
    stage.run(TargetRows, {})
    assert [[(c.op[0], c.key) for c in batch] for batch in Rows.batches] == [
        [("u", "c0"), ("u", "c1"), ("u", "c2"), ("u", "c3")],
        [("u", "c4"), ("u", "c5")],
        [("r", "c2"), ("r", "c3"), ("r", "c4"), ("r", "c5")],
        [("u", "c0"), ("u", "c1"), ("u", "c9")],
    ]
    assert [(c.known, c.payload.get("value")) for c in Rows.batches[-1]] == [(True, 2), (True, 2), (False, 1)]
    assert Rows.closed == 2


def test_every_row_has_a_receipt_with_its_outcome(stage: Rehearsal) -> None:
    verdicts = {
        "c0": Verdict.delivered("c0", "77"),
        "c1": Verdict.refused("c1", "too_young"),
        "c2": Verdict.retry("c2", "busy"),
        "c3": None,
    }
    judged(lambda change: verdicts[change.key])
    stage.publish(people(5), refusing=["c4"])
    stage.run(TargetRows, {})
    assert sorted(receipts(stage)) == [
        ("c0", "upsert", "delivered", ""),
        ("c1", "upsert", "refused", "too_young"),
        ("c2", "upsert", "retrying", "busy"),
        ("c3", "upsert", "retrying", "no_verdict"),
        ("c4", "upsert", "suppressed", "no_consent"),
    ]
    ledger = stage.ledger()
    assert ledger.lookup(stage.sync, ["c0"])["c0"]["remote_id"] == "77"
    run = ledger.recent_runs(stage.sync)[0]
    ledger.close()
    assert (run["outcome"], run["upserts"], run["refused"], run["suppressed"]) == ("rows refused", 4, 1, 1)
    assert run["message"] == "too_young 1"


@pytest.mark.parametrize("refused", [False, True], ids=["never told", "refused after it was not told"])
def test_a_row_that_ended_without_a_sure_answer_is_removed_when_the_person_withdraws(
    stage: Rehearsal, refused: bool
) -> None:
    judged(lambda change: None)
    stage.publish(people(1))
    stage.run(TargetRows, {"max_attempts": 2})
    if refused:
        judged(lambda change: Verdict.refused(change.key, "duplicate"))
    stage.run(TargetRows, {"max_attempts": 2})
    stage.run(TargetRows, {"max_attempts": 2})
    assert len(Rows.batches) == 2
    judged(lambda change: Verdict.delivered(change.key))
    stage.publish(people(1), refusing=["c0"], others=["c9"])
    stage.run(TargetRows, {})
    assert [(change.op, change.key) for change in Rows.batches[-1]] == [("remove", "c0")]


def test_a_row_whose_removal_had_no_answer_and_that_is_then_refused_is_sent_again_as_it_was_held(
    stage: Rehearsal,
) -> None:
    stage.publish(people(2))
    stage.run(TargetRows, {})
    stage.publish(people(1))
    judged(lambda change: None)
    stage.run(TargetRows, {})
    judged(lambda change: Verdict.refused(change.key, "too_young") if change.payload["value"] == 2 else None)
    stage.publish(people(2, value=2))
    stage.run(TargetRows, {})
    judged(lambda change: Verdict.delivered(change.key))
    stage.publish(people(2))
    stage.run(TargetRows, {})
    assert ("upsert", "c1") in [(change.op, change.key) for change in Rows.batches[-1]]


def test_a_run_tells_its_plan_and_its_outcome_in_a_sentence_each(
    stage: Rehearsal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    judged(lambda c: Verdict.refused(c.key, "too_young") if c.key == "c1" else Verdict.delivered(c.key))
    stage.publish(people(3))
    stage.run(TargetRows, {})
    stage.run(TargetRows, {})
    said = [line for line in caplog.messages if line.startswith("channel__audience: ")]
    assert said == [
        "channel__audience: 3 members, 3 to upsert, 0 to remove, 0 unchanged",
        "channel__audience: 2 upserted, 0 removed, 1 refused, 0 to retry",
        "channel__audience: 1 rows refused (too_young 1). Next: snello receipts channel__audience.",
        "channel__audience: 3 members, 0 changes: nothing to deliver, 1 refused before and unchanged",
    ]


def test_state_comes_after_the_ledger_and_not_at_all_when_the_channel_is_down(stage: Rehearsal) -> None:
    stage.publish(people(2))
    messages = stage.messages()

    def down(change: Change) -> Verdict:
        raise RetryLater("target-rows", "503", "run again later")

    judged(down)
    with pytest.raises(RetryLater):
        stage.feed(TargetRows, {}, messages)
    assert {row[2:] for row in receipts(stage)} == {("retrying", "unreachable")}
    judged(lambda change: Verdict.delivered(change.key))
    state = json.loads(stage.run(TargetRows, {}))
    assert state["bookmarks"]["channel__audience"]["publication"] == "publication-1"
    assert {row[2:] for row in receipts(stage)[2:]} == {("delivered", "")}


def test_verdicts_given_before_a_fault_are_kept(stage: Rehearsal) -> None:
    def down_at_the_third(change: Change) -> Verdict:
        if change.key == "c2":
            raise RetryLater("target-rows", "503", "run again later")
        return Verdict.delivered(change.key)

    judged(down_at_the_third)
    stage.publish(people(4))
    with pytest.raises(RetryLater):
        stage.run(TargetRows, {})
    assert [row[2] for row in sorted(receipts(stage))] == ["delivered", "delivered", "retrying", "retrying"]


def test_verdicts_given_before_a_refusal_are_kept_and_only_the_rest_is_halved(stage: Rehearsal) -> None:
    def bad(change: Change) -> Verdict:
        if change.key == "c2":
            raise BatchRefused("bad_row")
        return Verdict.delivered(change.key)

    judged(bad)
    stage.publish(people(4))
    stage.run(TargetRows, {})
    assert [(row[0], row[2], row[3]) for row in sorted(receipts(stage))] == [
        ("c0", "delivered", ""),
        ("c1", "delivered", ""),
        ("c2", "refused", "bad_row"),
        ("c3", "delivered", ""),
    ]


def test_the_target_checks_the_consent_of_each_row_again(stage: Rehearsal) -> None:
    stage.publish(people(3))
    lines = [json.loads(line) for line in stage.messages().splitlines()]
    records = [line["record"] for line in lines if line["type"] == "RECORD"]
    records[0]["_consent"]["state"] = "no"
    records[1]["_consent"] = None
    stage.feed(TargetRows, {}, "\n".join(json.dumps(line) for line in lines))
    assert [change.key for batch in Rows.batches for change in batch] == ["c2"]
    assert sorted(receipts(stage))[:2] == [
        ("c0", "upsert", "suppressed", "no_consent"),
        ("c1", "upsert", "suppressed", "no_consent"),
    ]


def test_a_sync_of_another_purpose_is_refused_before_a_call(tmp_path: Path, stage: Rehearsal) -> None:
    other = Rehearsal(tmp_path / "other", purpose="profiling", channel="any")
    other.publish(people(1))
    with pytest.raises(ConfigError, match="its purpose is profiling, rows take email_marketing"):
        other.run(TargetRows, {})
    assert Rows.batches == []


def test_messages_of_an_older_run_are_not_sent_over_those_of_a_newer_one(stage: Rehearsal) -> None:
    stage.publish(people(2))
    old = stage.messages()
    stage.publish(people(2, value=2))
    stage.run(TargetRows, {})
    sent = len(Rows.batches)
    stage.feed(TargetRows, {}, old)
    assert len(Rows.batches) == sent


def test_a_removal_of_what_was_never_delivered_is_not_sent(stage: Rehearsal) -> None:
    stage.publish(people(1))
    lines = [json.loads(line) for line in stage.messages().splitlines()]
    for line in lines:
        if line["type"] == "RECORD":
            line["record"] |= {"_op": "remove", "_key": "stranger"}
    stage.feed(TargetRows, {}, "\n".join(json.dumps(line) for line in lines))
    assert Rows.batches == []


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "SCHEMA", "stream": "orders", "schema": {"properties": {"id": {}}}, "key_properties": []}, "no sync"),
        ({"type": "RECORD", "stream": "channel__audience", "record": {"_key": "c1", "_op": "delete"}}, "lacks its _op"),
        ({"type": "RECORD", "stream": "channel__audience", "record": {"_key": 7, "_op": "remove"}}, "lacks its _op"),
        ({"type": "RECORD", "stream": "channel__audience", "record": {"_key": "c1", "_op": "upsert"}}, "_fingerprint"),
    ],
)
def test_what_is_no_sync_is_a_broken_contract(stage: Rehearsal, message: dict[str, Any], words: str) -> None:
    stage.publish(people(1))
    schema = stage.messages().splitlines()[0]
    with pytest.raises(ContractError, match=words):
        stage.feed(TargetRows, {}, f"{schema}\n{json.dumps(message)}\n")


def test_half_a_line_is_told_without_showing_it(stage: Rehearsal) -> None:
    stage.publish(people(3))
    messages = stage.messages()
    with pytest.raises(ContractError) as fault:
        stage.feed(TargetRows, {}, messages[: messages.index('"c1"')])
    assert str(fault.value) == "input: a line is not JSON. Next: run the tap and the target again."


@pytest.mark.parametrize("missing", ["upsert", "remove"])
def test_a_sink_without_one_of_its_two_methods_cannot_be_made(missing: str) -> None:
    methods = {name: lambda self, changes: [] for name in ("upsert", "remove") if name != missing}
    with pytest.raises(TypeError, match=missing):
        type("Half", (ActivationSink,), methods)(ChannelSettings(), "s", "s")


def test_one_writer_and_none_of_the_settings_that_would_change_payloads() -> None:
    target = TargetRows(config={})
    assert target.max_parallelism == 1
    assert "stream_maps" not in TargetRows.config_jsonschema["properties"]
    with pytest.raises(SystemExit) as end:
        target._handle_termination(15, None)
    assert end.value.code == 143
