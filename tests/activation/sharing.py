"""Members who share identifiers, a channel that knows people by these alone, and runs that may be killed anywhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any

from snello.activation import Change, Ledger, Verdict
from snello.kit.channel import ActivationSink, ChannelSettings
from snello.kit.channel.delivery import Delivery

SYNC = "ads__shared"
Want = Mapping[str, Mapping[str, Any]]


class Killed(BaseException):
    """The process dies here."""


class Fuse:
    """Lets so many moments pass, then kills; None: all of them."""

    def __init__(self) -> None:
        self.left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed


class Platform:
    """Knows identifiers, and nothing of whose they are."""

    def __init__(self) -> None:
        self.fuse, self.known, self.lock = Fuse(), set[str](), threading.Lock()
        self.calls: list[tuple[str, set[str]]] = []

    def change(self, op: str, identifiers: set[str]) -> None:
        self.fuse.burn()
        with self.lock:
            self.calls.append((op, identifiers))
            self.known = self.known | identifiers if op == "add" else self.known - identifiers
        self.fuse.burn()


class Known(ActivationSink[ChannelSettings]):
    """People as sets of identifiers; who has ``!`` among theirs is refused."""

    name, max_size = "known", 2

    def __init__(self, platform: Platform, parallel: int = 1) -> None:
        super().__init__(ChannelSettings(), SYNC, "")
        self.platform, self.parallel = platform, parallel

    def handle(self, change: Change) -> str | None:
        return json.dumps(sorted(change.payload["ids"])) if change.payload["ids"] else None

    def marks(self, handle: str) -> Iterable[str]:
        return json.loads(handle)

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        wanted = {change.key: set(change.payload["ids"]) for change in changes}
        if stale := {one for change in changes for one in had(change) - wanted[change.key]}:
            self.platform.change("take", stale)
        good = [key for key, ids in wanted.items() if ids and "!" not in ids]
        if good:
            self.platform.change("add", set().union(*(wanted[key] for key in good)))
        for key in wanted:
            yield Verdict.delivered(key) if key in good else Verdict.refused(key, "bad", gone=not wanted[key])

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        if gone := {one for change in changes for one in had(change)}:
            self.platform.change("take", gone)
        for change in changes:
            yield Verdict.delivered(change.key) if had(change) else Verdict.kept(change.key)


def had(change: Change) -> set[str]:
    """What is to be taken back of a row."""
    return {one for handle in change.handles for one in json.loads(handle)} - change.shared


class Syncing:
    """Runs of one sync: what is wanted is compared with the ledger, and the difference delivered."""

    def __init__(self, url: str, sink: Callable[[], ActivationSink[Any]]) -> None:
        self.ledger, self.sink, self.runs = Ledger(url), sink, 0

    def rows(self) -> dict[str, dict[str, Any]]:
        return self.ledger.lookup(SYNC, [f"c{number}" for number in range(10)])

    def run(self, want: Want) -> None:
        self.runs += 1
        delivery = Delivery(self.ledger, SYNC, self.sink(), purpose=None, max_attempts=10)
        try:
            for together in self._batches(want):
                for start in range(0, len(together), delivery.sizing.most):
                    delivery.deliver(together[start : start + delivery.sizing.most])
            delivery.finish()
        finally:
            delivery.close()

    def killed(self, want: Want) -> None:
        """A run that may not come to its end."""
        try:
            self.run(want)
        except Killed:
            return

    def _batches(self, want: Want) -> list[list[Change]]:
        """Removals first, then what is held, then what is new; what an earlier run tried together stays together."""
        rows = self.rows()
        changes = [(0, self._change(key, None, row)) for key, row in rows.items() if key not in want and _maybe(row)]
        for key, payload in want.items():
            row = rows.get(key, {})
            if not _settled(row, printed(payload)):
                changes.append((1 if row.get("fingerprint") else 2, self._change(key, payload, row)))
        changes.sort(key=lambda one: (one[0], one[1].batch or ""))
        return [[change for _, change in some] for _, some in groupby(changes, lambda one: (one[0], one[1].batch))]

    def _change(self, key: str, payload: Mapping[str, Any] | None, row: Mapping[str, Any]) -> Change:
        op, fingerprint = ("remove", None) if payload is None else ("upsert", printed(payload))
        again = row.get("op") == op and row.get("tried") == fingerprint
        more = {"run_id": f"run-{self.runs:04}", "consent": "yes", "batch": row.get("batch") if again else None}
        return Change(op, key, fingerprint, payload or {}, customer=key, **more)  # type: ignore[arg-type]


def printed(payload: Mapping[str, Any]) -> str:
    return sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def _maybe(row: Mapping[str, Any]) -> bool:
    return bool(row["fingerprint"]) or row["status"] in ("in_doubt", "retrying")


def _settled(row: Mapping[str, Any], fingerprint: str) -> bool:
    if row.get("op") != "upsert":
        return False
    if row["status"] == "delivered":
        return bool(row["fingerprint"] == fingerprint)
    return row["status"] in ("refused", "dead") and fingerprint in (row["tried"], row["fingerprint"])
