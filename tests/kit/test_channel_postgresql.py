from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from snello.errors import RetryLater
from snello.kit.channel import ActivationSink, ActivationTarget, Change, ChannelSettings, Verdict
from snello.kit.channel.rehearsal import Rehearsal


class Rows(ActivationSink[ChannelSettings]):
    """Takes every row but one."""

    name, max_size = "rows", 3

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return [self._verdict(change.key) for change in changes]

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return [Verdict.delivered(change.key) for change in changes]

    def _verdict(self, key: str) -> Verdict:
        return Verdict.refused(key, "too_young") if key == "c3" else Verdict.delivered(key)


class TargetRows(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-rows", (Rows,)


@pytest.fixture
def stage(tmp_path: Path, postgres: str) -> Rehearsal:
    made = Rehearsal(tmp_path, max_removal_share=1)
    made.ledger_url = postgres
    return made


def test_a_sync_runs_on_postgresql_as_it_does_on_sqlite(stage: Rehearsal) -> None:
    rows = [{"customer_id": f"c{n}", "value": n} for n in range(8)]
    stage.publish(rows, refusing=["c7"])
    stage.run(TargetRows, {})
    assert '"RECORD"' not in stage.messages()
    stage.publish([{**row, "value": 9} if row["customer_id"] == "c1" else row for row in rows[:6]])
    stage.run(TargetRows, {})
    ledger = stage.ledger()
    assert ledger.standing(stage.sync) == {
        ("upsert", "delivered", ""): 5,
        ("upsert", "refused", "too_young"): 1,
        ("remove", "delivered", ""): 1,
    }
    ledger.locks.take(stage.sync, "target")
    with pytest.raises(RetryLater, match="another run of it is under way"):
        stage.messages()
    ledger.close()
