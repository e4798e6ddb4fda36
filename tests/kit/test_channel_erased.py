"""To be forgotten is a right: no breaker holds it up."""

from __future__ import annotations

import io
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any, ClassVar, get_args

import pytest
from tests.activation.staging import people

from snello.activation import Change, Verdict
from snello.activation.sync import Mode
from snello.activation.tombstones import erased_keys
from snello.errors import BreakerOpen
from snello.kit.activation_tap import ActivationTap
from snello.kit.channel import ActivationSink, ActivationTarget, ChannelSettings
from snello.kit.channel.rehearsal import Rehearsal

MEMBERS = [f"c{n:02}" for n in range(40)]


class Rows(ActivationSink[ChannelSettings]):
    """Holds rows by key."""

    name, max_size = "rows", 7
    modes = frozenset(get_args(Mode))
    rows: ClassVar[set[str]] = set()

    def upsert(self, changes: Any) -> list[Verdict]:
        self.rows.update(change.key for change in changes)
        return [Verdict.delivered(change.key) for change in changes]

    def remove(self, changes: Any) -> list[Verdict]:
        self.rows.difference_update(change.key for change in changes)
        return [Verdict.delivered(change.key) for change in changes]

    def begin(self, rows: int) -> None:
        self.rows.clear()

    def commit(self) -> list[Verdict]:
        return []

    def move(self, changes: Any) -> list[Verdict]:
        gone: list[Change] = [Change("remove", change.moved_from) for change in changes]
        self.remove(gone)
        return self.upsert(changes)


class TargetRows(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-rows", (Rows,)


class Tap(ActivationTap):
    """The tap of the test."""

    name = "tap-activation"


def stopped(stage: Rehearsal) -> tuple[str, str]:
    """A run that the breaker stops: what the tap had written by then, and what it said."""
    tap, kept = Tap(config=stage.tap_config), io.BytesIO()
    with io.TextIOWrapper(kept, encoding="utf-8") as written, redirect_stdout(written):
        with closing(tap.ledger), pytest.raises(BreakerOpen) as fault:
            tap.sync_all()
        written.flush()
        return kept.getvalue().decode(), str(fault.value)


def forget(stage: Rehearsal, *keys: str) -> None:
    with closing(stage.ledger()) as ledger, ledger.engine.begin() as connection:
        for key in keys:
            connection.execute(erased_keys.insert(), {"sync": stage.sync, "key": key, "erasure": "e"})


@pytest.mark.parametrize("mode", ["mirror", "replace", "append"])
def test_who_was_erased_leaves_the_channel_although_the_breaker_is_open(tmp_path: Path, mode: str) -> None:
    Rows.rows.clear()
    stage = Rehearsal(tmp_path, mode=mode, max_growth_share=0.1, max_growth_floor=0)
    stage.publish(people(*MEMBERS))
    stage.run(TargetRows, {})
    forget(stage, "c00", "c01")
    stage.publish(people(*MEMBERS[2:], *(f"new{n}" for n in range(40))))
    lines, told = stopped(stage)
    assert "40 additions" in told
    assert "nothing was sent but 2 removals of who was erased" in told
    stage.feed(TargetRows, {}, lines)
    assert set(MEMBERS[2:]) == Rows.rows
    with closing(stage.ledger()) as ledger:
        latest, before, *_ = ledger.recent_runs(stage.sync)
        assert (latest["outcome"], before["outcome"]) == ("breaker open", "delivered")
        proof = ledger.receipts(stage.sync, key="c00")[0]
        assert (proof["op"], proof["status"], proof["reason"]) == ("remove", "delivered", "erased")
    lines, told = stopped(stage)
    assert lines == ""
    assert "40 additions" in told


def test_many_who_were_erased_do_not_open_the_breaker(tmp_path: Path) -> None:
    Rows.rows.clear()
    stage = Rehearsal(tmp_path, max_removal_share=0.2)
    stage.publish(people(*MEMBERS))
    stage.run(TargetRows, {})
    forget(stage, *MEMBERS[:20])
    stage.publish(people(*MEMBERS[20:]))
    stage.run(TargetRows, {})
    assert set(MEMBERS[20:]) == Rows.rows
