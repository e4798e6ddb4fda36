"""The promises around calls: who may be sent, in what order, and what a refused batch or a fault comes to.

One thread reads changes and writes the ledger; calls are made by others, as many at once as the sink takes:

- no call begins before its intent is in the ledger, and no key is under way twice
- changes of another turn wait until all calls under way are settled: removals go before upserts, and rows that the
  channel holds before new ones, so that an address is free before another row takes it
- of two batches of which one takes back an identifier that the other adds, the second waits for the first
- the first fault that rows are not to blame for stops new calls; those under way are waited for and settled
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from snello.activation import Change, Ledger, Verdict
from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit.channel.booking import Book
from snello.kit.channel.calls import Batch, Calls, Outcome, Turn
from snello.kit.channel.due import NOTHING, OPEN, SLOW, Due, Kind, Row, due, kind_of, most
from snello.kit.channel.http import BatchRefused, TooSlow
from snello.kit.channel.marking import Marking
from snello.kit.channel.sealing import Seal
from snello.kit.channel.session import Session, rows_of
from snello.kit.channel.settings import from_hub
from snello.kit.channel.sink import ActivationSink, gives_marks, keeps_handles
from snello.kit.channel.sizing import Sizing

HOPELESS = 25  # so many rows refused one after the other and none taken: it is not the rows


class Delivery:
    """Delivers the changes of one sync through one sink and keeps the ledger true."""

    def __init__(
        self, ledger: Ledger, sync: str, sink: ActivationSink[Any], *, purpose: str | None, max_attempts: int
    ) -> None:
        self.sync, self.sink, self.purpose = sync, sink, purpose
        self.ledger, self.book = ledger, Book(ledger, sync, max_attempts)
        self.sizing = Sizing(sink.max_size, sink.patience or sink.settings.timeout)
        self._calls = Calls(sink)
        salt = from_hub("salt", None) if keeps_handles(sink) else ""
        self._seal = Seal(salt) if keeps_handles(sink) else None
        if gives_marks(sink):
            self.book.marking = Marking(self.book.pen, sink, salt)
        self._ready: deque[Batch] = deque()
        self._active: set[str] = set()
        self._turn: Turn | None = None
        self._fault: BaseException | None = None
        self._alone = 0

    def deliver(self, changes: Sequence[Change]) -> None:
        """Send changes of one kind that belong together; those of several calls may be under way when it returns.

        Raises ``RetryLater`` or ``ConfigError`` when the channel cannot be reached; the rows are marked retrying first.
        """
        if changes[0].moved_from and not self.sink.moves:
            self.deliver([_departure(change) for change in changes])
            changes = [replace(change, moved_from=None) for change in changes]
        if any(change.key in self._active or change.moved_from in self._active for change in changes):
            self.finish()
        rows = self.book.look(changes)
        found = {change.key: one for change in changes if (one := self._due(change, rows))}
        if found:
            self._queue(kind_of(changes[0]), list(found.values()))
        if len(self._ready) >= self._calls.parallel:
            self._pump()

    def replace_all(self, first: Change) -> None:
        """From now on all changes belong to one session; it begins with this one, once what was before is settled."""
        self.finish()
        session = Session(self.ledger, self.sync, self.sink, first)
        session.tally, session.codes, session.waiting = self.book.tally, self.book.codes, self.book.waiting
        self.book = session
        session.begin(rows_of(self.ledger, self.sync, first.run_id))

    def finish(self) -> None:
        """Wait for every call and write every outcome. Raises as ``deliver`` does."""
        self._pump(drain=True)
        self.book.flush()

    def close(self) -> None:
        """Wait for the calls under way, whose rows stay in doubt."""
        self._calls.close()

    def _due(self, change: Change, rows: dict[str, Any]) -> Due | None:
        row, former = rows.get(change.key, NOTHING), rows.get(change.moved_from or "", NOTHING)
        if row or former:
            held = row.get("fingerprint") or former.get("fingerprint")
            remote = row.get("remote_id") or former.get("remote_id")
            change = replace(change, known=bool(held), remote_id=remote, handles=self._handles(row, former))
        one = due(change, row, former)
        if one is not None and self._seal:
            one.seal = self._seal
            one.handle = self.sink.handle(change) if change.op == "upsert" else None
        if one is None:
            self.book.tally["skipped", change.op] += 1
        elif not self._allowed(change):
            self.book.suppress(change)
            one = None
        return one

    def _handles(self, *rows: Row) -> tuple[str, ...]:
        """What the channel may know a row by, and the one that it comes from."""
        if not self._seal:
            return ()
        return tuple(handle for row in rows for handle in self._seal.open(row.get("handles")))

    def _allowed(self, change: Change) -> bool:
        """The gate, once more: no row goes out without a yes on it; a removal needs none."""
        if change.op == "remove":
            return True
        if self.purpose is not None and change.purpose != self.purpose:
            raise ConfigError(
                f"sync {self.sync}",
                f"its purpose is {change.purpose or 'not declared'}, {self.sink.name} take {self.purpose}",
                "set the sync's purpose, or send it to another target",
            )
        return change.consent == "yes"

    def _queue(self, kind: Kind, dues: list[Due]) -> None:
        size = most(dues)
        if self.book.marking:
            for one in dues:
                one.marked = self.book.marking.of(one)
        for some in self._turns(dues):
            for start in range(0, len(some), size):
                batch = Batch(kind, some[start : start + size])
                self._ready.append(batch)
                self._active |= batch.keys

    def _turns(self, dues: list[Due]) -> list[list[Due]]:
        """By turn where calls are made at once; what an earlier run tried together stays so, under its key."""
        if self._calls.parallel == 1 or any(one.row.get("status") in OPEN for one in dues):
            return [dues]
        return [some for known in (True, False) if (some := [one for one in dues if one.change.known is known])]

    # ---- calls

    def _pump(self, *, drain: bool = False) -> None:
        while self._ready or (drain and self._calls.under_way):
            starting = self._startable()
            if not self._take(block=not starting):
                continue
            for batch in starting:
                self.book.intend(batch)
            if starting:
                self.book.flush()
            for batch in starting:
                self.book.share(batch)
                self._calls.start(batch)
            if starting and self._calls.parallel == 1:
                self._take(block=False)
                self.book.flush()

    def _startable(self) -> list[Batch]:
        """The batches in front that may go now, taken off the queue."""
        found: list[Batch] = []
        room, idle = self._calls.room, not self._calls.under_way
        while self._ready and len(found) < room:
            turn = self._ready[0].turn
            if turn != self._turn or None in turn:
                if found or not idle:
                    break
                self._turn = turn
            if any(batch.meets(self._ready[0]) for batch in (*self._calls.batches, *found)):
                break
            found.append(self._ready.popleft())
        return found

    def _take(self, *, block: bool) -> bool:
        """Note the outcomes that have come; what was noted is written before there is anything to wait for."""
        outcomes = self._calls.finished(block=False)
        if block and not outcomes:
            self.book.flush()
            outcomes = self._calls.finished(block=True)
        for outcome in outcomes:
            self._note(outcome)
        if self._fault:
            self._stop()
        return not block

    def _stop(self) -> None:
        """No call more: those that have not begun are taken back, the others waited for, all of it written."""
        fault = self._fault
        assert fault
        for batch in self._calls.withdraw():
            self._put_off(Outcome(batch), fault)
        while self._calls.under_way:
            for outcome in self._calls.finished(block=True):
                self._note(outcome)
        self.book.flush()
        self._ready.clear()
        raise fault

    # ---- outcomes

    def _note(self, outcome: Outcome) -> None:
        self._active -= outcome.batch.keys
        match outcome.fault:
            case None:
                self.sizing.learn(len(outcome.batch.dues), outcome.seconds)
                self.book.settle(outcome.batch, outcome.batch.dues, outcome.verdicts, give_up=True)
            case BatchRefused() as fault:
                self._refused(outcome, fault)
            case RetryLater() | ConfigError() as fault:
                self._put_off(outcome, fault)
                self._fault = self._fault or fault
            case fault:
                self._fault = fault  # nobody foresaw it: the rows stay in doubt

    def _put_off(self, outcome: Outcome, fault: BaseException) -> None:
        words = {TooSlow: SLOW, RetryLater: "unreachable", ConfigError: "configuration"}
        code = next((word for kind, word in words.items() if isinstance(fault, kind)), "stopped")
        dues = outcome.batch.dues
        later = {one.change.key: Verdict.retry(one.change.key, code) for one in dues}
        self.book.settle(outcome.batch, dues, {**later, **outcome.verdicts}, give_up=False)

    def _refused(self, outcome: Outcome, fault: BatchRefused) -> None:
        batch, verdicts = outcome.batch, outcome.verdicts
        judged = [one for one in batch.dues if one.change.key in verdicts]
        self.book.settle(batch, judged, verdicts, give_up=True)
        rest = [one for one in batch.dues if one.change.key not in verdicts]
        if len(rest) > 1:
            self.sizing.refused(len(batch.dues), fault)
            middle = len(rest) // 2
            halves = [Batch(batch.kind, rest[:middle]), Batch(batch.kind, rest[middle:])]
            self._ready.extendleft(reversed(halves))
            self._active.update(*(half.keys for half in halves))
        elif rest:
            self._guilty(batch, rest[0], fault)

    def _guilty(self, batch: Batch, one: Due, fault: BatchRefused) -> None:
        key, tally = one.change.key, self.book.tally
        self.book.settle(batch, [one], {key: Verdict.refused(key, fault.code)}, give_up=True)
        self._alone += 1
        if self._alone >= HOPELESS and not tally["delivered", "upsert"] + tally["delivered", "remove"]:
            self._fault = self._fault or ContractError(
                self.sink.name,
                f"the channel refused {self._alone} rows one by one and took none, last with code {fault.code}",
                "compare the audience's columns with what the channel takes",
            )


def _departure(change: Change) -> Change:
    """For a channel that cannot rename: the row under the old key goes before the new one comes."""
    old = change.moved_from or ""
    left = replace(change, op="remove", key=old, customer=old, fingerprint=None, payload={})
    return replace(left, reason="moved", moved_from=None)
