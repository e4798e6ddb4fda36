"""A payload that goes back to what the channel holds, or perhaps holds no longer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.activation.staging import people
from tests.kit.channel_stage import SYNC, Rows, deliver, ledger_in, upsert

from snello.activation import Change, Verdict
from snello.activation.dead import letters
from snello.activation.ledger import UNKNOWN
from snello.errors import RetryLater
from snello.kit.channel import ActivationSink, ActivationTarget, ChannelSettings
from snello.kit.channel.rehearsal import Rehearsal


class Picky(ActivationSink[ChannelSettings]):
    """Refuses a mood that it does not know."""

    name = "moods"

    def upsert(self, changes: Sequence[Change]) -> list[Verdict]:
        return [
            Verdict.refused(one.key, "bad_mood") if one.payload["mood"] == "grim" else Verdict.delivered(one.key)
            for one in changes
        ]

    def remove(self, changes: Sequence[Change]) -> list[Verdict]:
        return [Verdict.delivered(one.key) for one in changes]


class TargetPicky(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-picky", (Picky,)


def test_a_row_whose_payload_is_again_what_the_channel_holds_is_no_dead_letter_any_more(tmp_path: Path) -> None:
    stage = Rehearsal(tmp_path)
    for mood, dead in (("glad", 0), ("grim", 1), ("grim", 1), ("glad", 0), ("glad", 0), ("grim", 1)):
        stage.publish(people("c1", "c2", mood="glad") + people("c3", mood=mood))
        stage.run(TargetPicky, {})
        with closing(stage.ledger()) as ledger:
            assert [letter.key for letter in letters(ledger)] == ["c3"] * dead
    with closing(stage.ledger()) as ledger:
        told = [(row["status"], row["code"]) for row in reversed(ledger.receipts(stage.sync, key="c3"))]
    assert told == [("delivered", ""), ("refused", "bad_mood"), ("superseded", ""), ("refused", "bad_mood")]


def unanswered(op: str, changes: Sequence[Change]) -> None:
    raise RetryLater("rows", "no answer", "run again later")


def busy(op: str, changes: Sequence[Change]) -> None:
    raise Busy


class Busy(Exception):
    """For ``Moody`` alone."""


class Moody(Rows):
    """Puts a row off, or refuses it, as it is told."""

    def upsert(self, changes: Sequence[Change]) -> list[Verdict]:
        try:
            return list(super().upsert(changes))
        except Busy:
            return [Verdict.retry(change.key, "busy") for change in changes]


@pytest.mark.parametrize("held", ["f0", None])
def test_a_try_that_may_have_arrived_is_not_forgotten_by_later_ones_that_did_not(
    tmp_path: Path, held: str | None
) -> None:
    sink = Moody()
    with ledger_in(tmp_path) as ledger:
        if held:
            deliver(ledger, sink, [upsert("c1", held)])
        for run, weather in enumerate((unanswered, busy, busy), 2):
            sink.before = weather
            with suppress(RetryLater):
                deliver(ledger, sink, [upsert("c1", "f1", run)])
        row = ledger.lookup(SYNC, ["c1"])["c1"]
        assert (row["status"], row["code"], row["fingerprint"]) == ("retrying", "busy", UNKNOWN)
        sink.before = lambda op, changes: None
        deliver(ledger, sink, [upsert("c1", "f0", 6)])
        assert ledger.lookup(SYNC, ["c1"])["c1"]["fingerprint"] == sink.rows["c1"] == "f0"


def test_what_was_only_put_off_leaves_the_ledger_sure_of_what_is_held(tmp_path: Path) -> None:
    sink = Moody()
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, [upsert("c1", "f0")])
        sink.before = busy
        deliver(ledger, sink, [upsert("c1", "f1", 2)])
        assert ledger.lookup(SYNC, ["c1"])["c1"]["fingerprint"] == "f0"
