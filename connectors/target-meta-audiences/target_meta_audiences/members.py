"""The members of one audience: who is added, taken away, or refused, with a verdict a person."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from snello.kit.channel import Verdict
from target_meta_audiences.account import Account, Answer
from target_meta_audiences.people import Row, fields_of

T = TypeVar("T")
MOST = 10_000  # rows a call
SEARCHES = 64  # calls that may look for the rows that Meta cannot read, a batch


class Member(NamedTuple):
    """A row under the key of its change."""

    key: str
    row: Row


@dataclass
class Members:
    """What is sent of one audience, ``size`` rows a call."""

    account: Account
    audience: str
    size: int

    def forget(self, rows: Sequence[Row]) -> None:
        """Take rows away of which nobody waits for a verdict."""
        for part in parts(rows, self.size):
            self.account.users("DELETE", self.audience, part, fields_of(part))

    def settle(self, method: str, members: Sequence[Member]) -> Iterator[Verdict]:
        """Add or take away; Meta counts what it cannot read, so halves are sent again until they are found."""
        left = SEARCHES
        waiting = list(parts(members, self.size))
        while waiting:
            part = waiting.pop(0)
            answer = self._sent(method, part)
            if not answer.invalid:
                yield from _judged(part, answer)
            elif len({one.key for one in part}) == 1:
                yield _unreadable(method, part[0].key)
            elif left < 2:
                yield from (Verdict.retry(one.key, "invalid_entries") for one in part)
            else:
                left -= 2
                middle = len(part) // 2
                waiting[:0] = [part[:middle], part[middle:]]

    def _sent(self, method: str, part: Sequence[Member]) -> Answer:
        rows = [one.row for one in part]
        return self.account.users(method, self.audience, rows, fields_of(rows))


@dataclass
class Replacement:
    """All members of an audience at once: kept here until the last has come, then sent as one session.

    Meta takes what has come of a session for the whole once 90 minutes have passed; so none is begun that this run
    cannot end.
    """

    members: list[Member] = field(default_factory=list)

    def send(self, account: Account, audience: str, size: int) -> Iterator[Verdict]:
        """Put them in the place of who was there; verdicts of those alone who may not have arrived."""
        fields = fields_of(one.row for one in self.members)
        session = {"session_id": secrets.randbelow(2**62) + 1, "estimated_num_total": len(self.members)}
        batches = list(parts(self.members, size))
        for number, part in enumerate(batches, start=1):
            place = {"batch_seq": number, "last_batch_flag": number == len(batches)}
            answer = account.replace(audience, {**session, **place}, [one.row for one in part], fields)
            if answer.invalid:
                yield from (Verdict.retry(one.key, "invalid_entries") for one in part)


def parts(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Rows, so many a call."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _judged(part: Sequence[Member], answer: Answer) -> Iterator[Verdict]:
    whole = answer.received >= len(part)
    for one in part:
        yield Verdict.delivered(one.key) if whole else Verdict.retry(one.key, "not_received")


def _unreadable(method: str, key: str) -> Verdict:
    """A row that Meta cannot read is never in the audience, but nobody is left there on that account."""
    return Verdict.refused(key, "invalid_entry") if method == "POST" else Verdict.retry(key, "invalid_entry")
