"""A channel in memory, and changes made by hand: what tests of deliveries have in common."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snello.activation import Bounce, Change, Held, Ledger, Size, Verdict
from snello.kit.channel import ActivationSink, ChannelSettings
from snello.kit.channel.delivery import Delivery

SYNC = "channel__audience"


class Rows(ActivationSink[ChannelSettings]):
    """Holds rows by key; ``before`` is asked ahead of each call and may raise."""

    name, max_size = "rows", 4
    modes = frozenset({"mirror", "upsert", "insert", "update", "append", "replace"})

    def __init__(self, parallel: int = 1) -> None:
        super().__init__(ChannelSettings(), SYNC, "")
        self.parallel = parallel
        self.rows: dict[str, Any] = {}
        self.calls: list[tuple[str, list[str]]] = []
        self.before: Callable[[str, Sequence[Change]], None] = lambda op, changes: None
        self.lock = threading.Lock()

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self._called("upsert", changes)
        self.rows |= {change.key: change.fingerprint for change in changes}
        return [Verdict.delivered(change.key) for change in changes]

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self._called("remove", changes)
        return self._gone(changes)

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self._called("erase", changes)
        return self._gone(changes)

    def _gone(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        for change in changes:
            self.rows.pop(change.key, None)
        return [Verdict.delivered(change.key) for change in changes]

    def _called(self, op: str, changes: Sequence[Change]) -> None:
        with self.lock:
            self.calls.append((op, sorted(change.key for change in changes)))
        self.before(op, changes)

    def listing(self) -> Iterable[Held] | None:
        return [Held(key) for key in self.rows]

    def size(self) -> Size | None:
        return Size(len(self.rows))

    def bounced(self) -> Iterable[Bounce]:
        return ()


class Renaming(Rows):
    """A channel that can rename."""

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self._called("move", changes)
        for change in changes:
            self.rows.pop(change.moved_from or "", None)
            self.rows[change.key] = change.fingerprint
        return [Verdict.delivered(change.key) for change in changes]


@contextmanager
def ledger_in(folder: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
    try:
        yield ledger
    finally:
        ledger.close()


def upsert(key: str, fingerprint: str = "f1", run: int = 1, **more: Any) -> Change:
    return Change(
        "upsert", key, fingerprint, consent="yes", run_id=f"run{run}", customer=more.pop("customer", key), **more
    )


def removal(key: str, run: int = 1, reason: str = "left_audience") -> Change:
    return Change("remove", key, reason=reason, run_id=f"run{run}", customer=key)


def deliver(ledger: Ledger, sink: ActivationSink[Any], *batches: Sequence[Change]) -> Delivery:
    delivery = Delivery(ledger, SYNC, sink, purpose=None, max_attempts=10)
    try:
        for batch in batches:
            delivery.deliver(batch)
        delivery.finish()
    finally:
        delivery.close()
    return delivery


def held(ledger: Ledger) -> dict[str, str]:
    """What the ledger says that the channel holds."""
    table = ledger.settled(SYNC).to_pydict()
    return dict(zip(table["key"], table["fingerprint"], strict=True))


def proofs(ledger: Ledger) -> list[tuple[str, str, str, str]]:
    """Key, op, status and code or reason of each receipt, oldest first."""
    found = reversed(ledger.receipts(SYNC, limit=100_000))
    return [(row["key"], row["op"], row["status"], row["code"] or row["reason"]) for row in found]
