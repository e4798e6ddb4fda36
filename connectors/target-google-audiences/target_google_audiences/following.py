"""Requests followed to their end: Google takes a request at once and processes it later, for minutes or hours.

A run waits for all its requests together, as long as the settings say. What has not ended then is put off with the
request's id, and the next run asks for it before it sends anything again. Where Google says that some members failed,
and not which, the request is halved until it is known: an ingestion may be repeated without harm.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from snello.kit.channel import Verdict
from target_google_audiences.account import Account, Kind, Outcome
from target_google_audiences.refusals import RowsAtFault

MOST_MEMBERS = 10_000
MOST_HALVES = 64  # requests more that a run makes to learn which rows failed
LONGEST_POLL = 60.0  # seconds
PROCESSING = "processing"
Judgement: TypeAlias = "Generator[Verdict, None, list[Group]]"
GUILTY = frozenset({"invalid_format", "denied_consent", "no_consent", "unknown_consent"})


@dataclass(frozen=True)
class Pending:
    """A request whose end was not seen: what for, the batch in which it was sent, and Google's id of it.

    - ``purpose``: ``ingest``; ``remove``, for a removal; ``forget``, of what a changed row was known by before
    """

    purpose: str
    batch: str
    request: str

    def __str__(self) -> str:
        return f"{self.purpose} {self.batch} {self.request}"

    @classmethod
    def of(cls, text: str | None) -> Pending | None:
        """Out of the ledger's ``remote_id``."""
        parts = (text or "").split(" ", 2)
        return cls(*parts) if len(parts) == 3 else None


@dataclass(frozen=True)
class Row:
    """A row under way: its members, a request of an earlier run that sent just them, and what must end after it."""

    key: str
    members: Sequence[dict[str, Any]]
    request: str = ""
    after: Pending | None = None


@dataclass
class Group:
    """Rows of one request; ``resumed``: an earlier run sent it."""

    rows: list[Row]
    request: str = ""
    resumed: bool = False


@dataclass
class Following:
    """Requests for one list; ``seconds``: how long a run waits for them, ``first``: before it asks for the first time.

    Safe to call from several threads.
    """

    account: Account
    list_id: int
    seconds: float
    first: float
    _until: float | None = None
    _ended: dict[str, Outcome] = field(default_factory=dict)
    _halves: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, purpose: str, rows: Sequence[Row], batch: str) -> Iterator[Verdict]:
        """A verdict for each row, once its request has ended or the time is up."""
        groups = _grouped(rows)
        while groups:
            for group in groups:
                yield from self._sent(purpose, group)
            groups = [group for group in groups if group.rows]
            found = self.wait({group.request for group in groups})
            following: list[Group] = []
            for group in groups:
                told = yield from self._judged(purpose, batch, group, found[group.request])
                following += told
            groups = following

    def wait(self, requests: set[str]) -> dict[str, Outcome]:
        """What became of these requests, once all have ended or the time is up."""
        pause, found = self.first, {request: self.look(request) for request in requests}
        while (open_ := [one for one in found if found[one].state == PROCESSING]) and self._left() > 0:
            self._stop.wait(min(pause, self._left()))
            pause = min(2 * pause, LONGEST_POLL)
            found |= {request: self.look(request) for request in open_}
        return found

    def close(self) -> None:
        """Wait no longer."""
        self._stop.set()
        self._until = 0.0

    def _left(self) -> float:
        with self._lock:
            if self._until is None:
                self._until = time.monotonic() + self.seconds
            return self._until - time.monotonic()

    def look(self, request: str) -> Outcome:
        """What became of a request so far."""
        if known := self._ended.get(request):
            return known
        found = self.account.outcome(request)
        if found.state not in (PROCESSING, "unknown"):
            self._ended[request] = found
        return found

    def _sent(self, purpose: str, group: Group) -> Iterator[Verdict]:
        """Send a group that was not sent yet; rows that Google will not have leave it with their verdict."""
        kind: Kind = "ingest" if purpose == "ingest" else "remove"
        while group.rows and not group.request:
            members = [member for row in group.rows for member in row.members]
            try:
                group.request = self.account.send(kind, self.list_id, members)
            except RowsAtFault as fault:
                guilty = _guilty(group.rows, fault.reasons)
                if not guilty:
                    raise
                group.rows = [row for row in group.rows if row.key not in guilty]
                for key, reason in guilty.items():
                    yield Verdict.refused(key, reason) if kind == "ingest" else Verdict.retry(key, reason, "")

    def _judged(self, purpose: str, batch: str, group: Group, outcome: Outcome) -> Judgement:
        """Verdicts for what is known now; the generator's value: groups to send next."""
        rows, reason = group.rows, outcome.reason or "failed"
        alone = len(rows) == 1 and not group.resumed
        if group.resumed and outcome.state not in (PROCESSING, "done"):  # what others hold by now is not sent again
            yield from (Verdict.kept(row.key) for row in rows if not row.members)
            rows = [row for row in rows if row.members]
        if outcome.state == "unknown" and group.resumed:
            return [Group(rows)]
        if outcome.state in (PROCESSING, "unknown"):
            pending = str(Pending(purpose, batch, group.request))
            yield from (Verdict.retry(row.key, PROCESSING, pending) for row in rows)
        elif outcome.state == "done":
            yield from map(_done, rows)
        elif outcome.state == "failed" and not (outcome.mixed and len(rows) > 1):
            yield from (_refused(purpose, row.key, reason) for row in rows)
        elif alone:
            yield _refused(purpose, rows[0].key, reason)
        elif self._may_halve():
            middle = max(1, len(rows) // 2)
            return [Group(half) for half in (rows[:middle], rows[middle:]) if half]
        else:
            pending = str(Pending(purpose, batch, group.request))
            yield from (Verdict.retry(row.key, reason, pending) for row in rows)
        return []

    def _may_halve(self) -> bool:
        with self._lock:
            self._halves += 2
            return self._halves <= MOST_HALVES


def _grouped(rows: Sequence[Row]) -> list[Group]:
    """Rows by the request that an earlier run made for them, the others as many as a request takes."""
    resumed: dict[str, Group] = {}
    fresh: list[Group] = []
    room = 0
    for row in rows:
        if row.request:
            resumed.setdefault(row.request, Group([], row.request, resumed=True)).rows.append(row)
            continue
        if len(row.members) > room or not fresh:
            fresh.append(Group([]))
            room = MOST_MEMBERS
        fresh[-1].rows.append(row)
        room -= len(row.members)
    return [*resumed.values(), *fresh]


def _guilty(rows: Sequence[Row], reasons: dict[int, str]) -> dict[str, str]:
    """Keys of the rows whose members are to blame, with the reason."""
    owners = [row.key for row in rows for _ in row.members]
    return {owners[place]: reason for place, reason in reasons.items() if place < len(owners)}


def _done(row: Row) -> Verdict:
    """Delivered, unless an earlier request may undo it that has not ended: then once more by the next run."""
    return Verdict.retry(row.key, PROCESSING, str(row.after)) if row.after else Verdict.delivered(row.key, "")


def _refused(purpose: str, key: str, reason: str) -> Verdict:
    """Only who is to be added can be refused for good; whoever is to go is tried again."""
    guilty = purpose == "ingest" and reason in GUILTY
    return Verdict.refused(key, reason) if guilty else Verdict.retry(key, reason, "")
