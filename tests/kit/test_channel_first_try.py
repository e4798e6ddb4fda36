from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.kit.channel_stage import Rows, deliver, ledger_in, removal, upsert

from snello.activation import Change
from snello.errors import RetryLater


class Noting(Rows):
    """Notes under what each call went out; the first ``failing`` of them get no answer."""

    def __init__(self, failing: int) -> None:
        super().__init__()
        self.failing = failing
        self.tries: list[tuple[str, str]] = []
        self.before = self.note

    def note(self, op: str, changes: Sequence[Change]) -> None:
        self.tries.append((self.first_try, self.batch_id))
        if len(self.tries) <= self.failing:
            raise RetryLater("rows", "no answer", "run again later")


def test_rows_that_are_left_of_an_earlier_try_share_its_name_and_not_its_key(tmp_path: Path) -> None:
    sink = Noting(failing=2)
    with ledger_in(tmp_path) as ledger:
        with pytest.raises(RetryLater):
            deliver(ledger, sink, [upsert("a"), upsert("b"), upsert("c")])
        with pytest.raises(RetryLater):
            deliver(ledger, sink, [upsert("a", run=2), upsert("c", run=2)])
        deliver(ledger, sink, [upsert("c", run=3)])
    names, keys = zip(*sink.tries, strict=True)
    assert len(set(names)) == 1
    assert len(set(keys)) == 3


def test_what_is_sent_anew_after_it_was_settled_has_a_name_of_its_own(tmp_path: Path) -> None:
    sink = Noting(failing=0)
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, [upsert("a")])
        deliver(ledger, sink, [removal("a", 2)])
        deliver(ledger, sink, [upsert("a", run=3)])
    assert len({name for name, _ in sink.tries}) == 3
