"""Calls to a sink, several at once where it allows that: what each came to, as a value."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import requests

from snello.activation import Change, Verdict
from snello.errors import RetryLater
from snello.kit.channel.due import ONCE, OPEN, Due, Kind
from snello.kit.channel.sink import ActivationSink

AHEAD = 2  # batches handed over for each call that may be under way, so that no call waits for the ledger


Turn = tuple[Kind, bool | None]  # how the sink is called, and whether the channel holds the rows: None for some of them


@dataclass
class Batch:
    """Changes of one kind that travel in one call, under one idempotency key."""

    kind: Kind
    dues: list[Due]
    key: str = ""

    @cached_property
    def takes(self) -> frozenset[str]:
        """Marks of what its rows may take back."""
        return frozenset(mark for one in self.dues for mark in one.marked.takes)

    @cached_property
    def adds(self) -> frozenset[str]:
        """Marks of what its rows are to be known by."""
        return frozenset(mark for one in self.dues for mark in one.marked.adds)

    def meets(self, other: Batch) -> bool:
        """Whether one takes back what the other adds."""
        return not (self.takes.isdisjoint(other.adds) and self.adds.isdisjoint(other.takes))

    @property
    def keys(self) -> set[str]:
        """The keys that it touches."""
        moved = {one.change.moved_from for one in self.dues if one.change.moved_from}
        return {one.change.key for one in self.dues} | moved

    @property
    def turn(self) -> Turn:
        """Batches of one turn may be under way at once; one whose rows are of several kinds has it for itself."""
        known = {one.change.known for one in self.dues}
        return self.kind, known.pop() if len(known) == 1 else None


@dataclass(slots=True)
class Outcome:
    """What a call came to: verdicts by key, and the fault that ended it; ``seconds`` as long as it took."""

    batch: Batch
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    fault: BaseException | None = None
    seconds: float = 0.0


class Calls:
    """Calls under way; a sink that takes one at a time is called where we stand, any other from threads."""

    def __init__(self, sink: ActivationSink[Any]) -> None:
        self.sink = sink
        self.parallel = max(1, sink.parallel)
        self._pool = ThreadPoolExecutor(self.parallel, "call") if self.parallel > 1 else None
        self._futures: dict[Future[Outcome], Batch] = {}
        self._done: list[Outcome] = []

    @property
    def under_way(self) -> int:
        """Batches whose outcome nobody has taken yet."""
        return len(self._futures) + len(self._done)

    @property
    def batches(self) -> list[Batch]:
        """Those of ``under_way``."""
        return [*self._futures.values(), *(outcome.batch for outcome in self._done)]

    @property
    def room(self) -> int:
        """Batches that may be started now."""
        return (self.parallel * AHEAD if self._pool else 1) - self.under_way

    def start(self, batch: Batch) -> None:
        """Make the call, or have it made."""
        if self._pool:
            self._futures[self._pool.submit(self._call, batch)] = batch
        else:
            self._done.append(self._call(batch))

    def finished(self, *, block: bool) -> list[Outcome]:
        """Outcomes that have come; with ``block`` at least one, if any call is under way."""
        if self._futures:
            wait(self._futures, timeout=None if block and not self._done else 0, return_when=FIRST_COMPLETED)
        for future in [future for future in self._futures if future.done()]:
            del self._futures[future]
            self._done.append(future.result())
        done, self._done = self._done, []
        return done

    def withdraw(self) -> list[Batch]:
        """Take back the batches whose call has not begun."""
        back = [batch for future, batch in self._futures.items() if future.cancel()]
        self._futures = {future: batch for future, batch in self._futures.items() if not future.cancelled()}
        return back

    def close(self) -> None:
        """Wait for the calls under way."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def _call(self, batch: Batch) -> Outcome:
        outcome, began = Outcome(batch), time.monotonic()
        self.sink.batch_id = batch.key
        try:
            for verdict in self._verdicts(batch):
                outcome.verdicts[verdict.key] = verdict
        except Exception as fault:
            outcome.fault = fault
        outcome.seconds = time.monotonic() - began
        return self._named(outcome)

    def _verdicts(self, batch: Batch) -> Iterable[Verdict]:
        """What the sink says; an answer of 2xx that it cannot read is one that did not come."""
        changes = [one.change for one in batch.dues]
        try:
            if batch.kind == "upsert":
                there = yield from self._found(batch)
                changes = [change for change in changes if change.key not in there]
            if changes:
                yield from self._asked(batch.kind, changes)
        except requests.exceptions.JSONDecodeError:
            cure = "run again later; if it stays so, check the URL: a page for people may stand there"
            raise RetryLater(self.sink.name, "an answer of the channel is not JSON", cure) from None

    def _found(self, batch: Batch) -> Generator[Verdict, None, set[str]]:
        """Rows of an earlier try that the channel has already; nobody is asked where nothing is open."""
        doubted = [one.change for one in batch.dues if _open(one)]
        there: set[str] = set()
        for verdict in self.sink.find(doubted) if doubted else ():
            if verdict.status == "delivered":
                there.add(verdict.key)
                yield verdict
        return there

    def _asked(self, kind: Kind, changes: Sequence[Change]) -> Iterable[Verdict]:
        match kind:
            case "upsert":
                return self.sink.upsert(changes)
            case "move":
                return self.sink.move(changes)
            case "erase":
                return self.sink.erase(changes)
            case _:
                return self.sink.remove(changes)

    def _named(self, outcome: Outcome) -> Outcome:
        """Verdicts under our own keys, where the channel writes them in another way."""
        ours = {one.change.key for one in outcome.batch.dues}
        if outcome.verdicts.keys() <= ours:
            return outcome
        known = {self.sink.canonical(key): key for key in ours}
        verdicts = {known.get(self.sink.canonical(key), key): verdict for key, verdict in outcome.verdicts.items()}
        outcome.verdicts = verdicts
        return outcome


def _open(one: Due) -> bool:
    """Whether an earlier try may have brought exactly this row there."""
    if one.row.get("status") not in OPEN or one.row.get("op") != "upsert":
        return False
    return one.change.mode in ONCE or one.row.get("tried") == one.change.fingerprint
