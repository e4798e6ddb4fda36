"""Mode ``replace``: a session that puts the whole audience in the place of what the channel held.

Rows are sent as they come and noted aside. Until the session is closed the ledger says what it said before; a fault or
a death leaves it so, and the next run starts anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from snello.activation import Change, Ledger, Verdict
from snello.activation.replacing import Aside, Noted
from snello.errors import RetryLater, SnelloError
from snello.kit.channel.booking import NO_VERDICT, Book
from snello.kit.channel.calls import Batch
from snello.kit.channel.due import Due, person
from snello.kit.channel.sink import ActivationSink

DONE = ("delivered", "rows refused")


class Session(Book):
    """What is told of a session: nothing to the ledger, until the channel has closed it."""

    def __init__(self, ledger: Ledger, sync: str, sink: ActivationSink[Any], first: Change) -> None:
        super().__init__(ledger, sync, max_attempts=1)
        self.sink, self.first = sink, first
        self._aside = Aside(ledger.engine, sync, first.run_id)
        self._name, self._batches = uuid4().hex[:12], 0
        self._noted: list[Noted] = []
        self._open = False

    def begin(self, rows: int) -> None:
        """Open the session in the channel."""
        self.sink.begin(rows)
        self._open = True

    def look(self, changes: Sequence[Change]) -> dict[str, dict[str, Any]]:
        """Nothing: the whole is sent, whatever is held."""
        return {}

    def intend(self, batch: Batch) -> None:
        """A key for the call; no row is in doubt before the session is closed."""
        self._batches += 1
        batch.key = f"{self._name}-{self._batches}"

    def settle(self, batch: Batch, dues: Sequence[Due], verdicts: Mapping[str, Verdict], *, give_up: bool) -> None:
        """What the channel said of some rows, for later."""
        for one in dues:
            change = one.change
            verdict = verdicts.get(change.key) or Verdict.retry(change.key, NO_VERDICT)
            own = (change.key, change.fingerprint, person(change))
            self._noted.append(Noted(*own, verdict.status, verdict.code, verdict.remote_id, one.known_by))
            if verdict.status != "delivered":
                self._count(one, verdict.status, verdict.code)

    def flush(self) -> None:
        """Note aside what was said."""
        super().flush()
        noted, self._noted = self._noted, []
        self._aside.note(noted)

    def commit(self) -> None:
        """Close the session; from now on the ledger says that the channel holds its rows and no others."""
        self.flush()
        self._aside.doubt()
        self._open = False
        late = [
            Noted(verdict.key, None, None, verdict.status, verdict.code, verdict.remote_id)
            for verdict in self.sink.commit()
        ]
        self._aside.judge(late)
        for row in late:
            self.tally[row.status, "upsert"] += 1
            if row.status == "refused":
                self.codes[row.code or row.status] += 1
            elif row.status == "retrying":
                self.waiting[row.code or row.status] += 1
        first = self.first
        done = self._aside.settle(first.channel if first.contact else None)
        for op, many in done.items():
            self.tally["delivered", op] += many
        self._aside.close()

    def abandon(self) -> None:
        """Give the session up; the ledger says what it said before."""
        if self._open:
            self._open = False
            with suppress(SnelloError):  # the fault that brought us here says more
                self.sink.abandon()
        self._aside.close()


def superseded(ledger: Ledger, sync: str, run_id: str) -> bool:
    """Whether these messages are a replay: their run is through, or a later one has begun."""
    runs = ledger.recent_runs(sync)
    return any(run["run_id"] > run_id or (run["run_id"] == run_id and run["outcome"] in DONE) for run in runs)


def rows_of(ledger: Ledger, sync: str, run_id: str) -> int:
    """How many rows the run's plan holds; 0 when no plan is known."""
    return next((int(run["upserts"]) for run in ledger.recent_runs(sync) if run["run_id"] == run_id), 0)


def cut_off(sync: str) -> RetryLater:
    """The fault of a tap that ended before its last message: half an audience must not replace the whole."""
    return RetryLater(f"sync {sync}", "the messages end before all rows of the audience came", "run the sync again")
