from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from snello.kit.channel import ActivationSink, ActivationTarget, Change, ChannelSettings, Verdict
from snello.kit.channel.rehearsal import Rehearsal


class Slow(ActivationSink[ChannelSettings]):
    """Every call of it takes longer than an answer may."""

    name, max_size = "slow", 4
    sizes: ClassVar[list[int]] = []

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self.sizes.append(len(changes))
        return [Verdict.delivered(change.key) for change in changes]

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return [Verdict.delivered(change.key) for change in changes]


class Patient(Slow):
    """Waits for the channel on purpose."""

    patience = 600.0


class TargetSlow(ActivationTarget):
    name, sinks = "target-slow", (Slow,)


class TargetPatient(ActivationTarget):
    name, sinks = "target-patient", (Patient,)


def sizes(folder: Path, target: type[ActivationTarget]) -> list[int]:
    stage = Rehearsal(folder, purpose="profiling", channel="any")
    stage.publish([{"customer_id": f"c{number}", "email": "e"} for number in range(8)])
    Slow.sizes.clear()
    stage.run(target, {"timeout": 1e-9})
    return list(Slow.sizes)


def test_a_sink_that_waits_on_purpose_is_not_taken_for_a_slow_channel(tmp_path: Path) -> None:
    assert sizes(tmp_path / "slow", TargetSlow)[1] == 2
    assert sizes(tmp_path / "patient", TargetPatient) == [4, 4]
