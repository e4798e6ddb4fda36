"""What the state of a REST stream says: how far it has read, and where an unfinished walk goes on.

    {"replication_key": "updated_at", "replication_key_value": "2026-03-01T10:00:00+00:00", "seen": {..}}    finished
    {.., "resume": {"token": .., "behind": [..], "shape": .., "since": .., "highest": .., "at": ..}}         cut off

``seen`` tells the rows of the overlap, so that the next run, which asks for them again, emits only what changed. A
``behind`` tells the last page that was written, its token and its digest: the place counts while that page is the same.
A moment is never later than the start of its walk, by the server's clock where that is behind ours: neither a row that
is committed while pages are read nor one dated in the future makes the next run skip anything. A key that is a whole
number (a version, a growing id) has no overlap.
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from snello.kit.rest.asking import Row, Token

RESUME, SEEN, KEY, VALUE = "resume", "seen", "replication_key", "replication_key_value"
STALE = timedelta(days=1)  # the token of a walk that was cut off longer ago is no longer trusted
MOST_SEEN = 1000  # rows of the overlap that a state tells; when there are more they come again, which doubles nothing

Mark = Any  # a moment, or a whole number

_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass
class Bookmark:
    """The state of one stream, read and written.

    - ``key``: the replication key; None for a stream that is read whole
    - ``shape``: digest of what decides the listing; an unfinished walk over another one does not count
    - ``started``: when the walk began
    """

    state: MutableMapping[str, Any]
    key: str | None
    overlap: timedelta
    shape: str
    started: datetime
    since: Mark = None
    resumed: Token = None
    behind: tuple[Token, str] | None = None
    _clock_known: bool = False
    _highest: Mark = None
    _before: dict[str, str] = field(default_factory=dict)
    _near: dict[str, tuple[Mark, str]] = field(default_factory=dict)

    def begin(self, start_date: datetime | None) -> None:
        """Find out where to begin: an unfinished walk, else the bookmark, else the start date."""
        self._before = dict(self.state.get(SEEN) or {})
        self.since = self._bookmarked() or start_date
        left = self.state.get(RESUME)
        if isinstance(left, dict) and left.get("shape") == self.shape:
            at = datetime.fromisoformat(left["at"])
            if datetime.now(UTC) - at < STALE:
                self.resumed, self.started = left["token"], at
                self.behind = tuple(left["behind"]) if left.get("behind") else None
                self._highest, self.since = mark(left["highest"]), mark(left["since"])
        if self.resumed is None:
            self.restart()

    def restart(self) -> None:
        """Forget the unfinished walk."""
        self.resumed = None
        self.state.pop(RESUME, None)

    def heard(self, date: str | None) -> None:
        """Hold the start back to the server's clock, as the first answer's ``Date`` tells it; the overlap is no delay.

        Of a walk that goes on, the start was held back when it began.
        """
        if self._clock_known or self.resumed is not None:
            return
        self._clock_known = True
        behind = datetime.now(UTC) - told if (told := _date(date)) else timedelta()
        if behind > self.overlap:
            self.started -= behind

    @property
    def asked(self) -> Mark:
        """From where to ask: the bookmark, moments less the overlap."""
        return self._less_overlap(self.since)

    def known(self, row: Row, keys: Sequence[str]) -> bool:
        """Whether the run before emitted this very row."""
        return bool(self._before) and self._before.get(_name(row, keys)) == _print(row)

    def saw(self, rows: Sequence[Row], keys: Sequence[str]) -> None:
        """Take rows into account."""
        if self.key is None:
            return
        for row in rows:
            value = mark(row.get(self.key))
            if value is None:
                continue
            if self._highest is None or (type(value) is type(self._highest) and value > self._highest):
                self._highest = value
            if keys and isinstance(value, datetime) and value >= self._less_overlap(self._reached):
                self._near[_name(row, keys)] = (value, _print(row))
        if len(self._near) > 4 * MOST_SEEN:
            self._forget_far()

    def note(self, token: Token, behind: tuple[Token, str] | None = None) -> None:
        """Everything before the page of this token is written; ``behind``: token and digest of the page before it."""
        told = {"since": _text(self.since), "highest": _text(self._highest), "at": self.started.isoformat()}
        self.state[RESUME] = {"token": token, "behind": list(behind) if behind else None, "shape": self.shape, **told}

    def finish(self) -> None:
        """The walk came to its end."""
        self.state.pop(RESUME, None)
        if self.key is None or self._highest is None:
            return
        before = self._bookmarked()
        reached = self._reached
        if before is not None and type(before) is type(reached) and reached < before:
            reached = before
        self.state.update({KEY: self.key, VALUE: _text(reached)})
        self._forget_far(reached)
        near = {name: fingerprint for name, (_, fingerprint) in self._near.items()}
        if reached == before:
            near = {**self._before, **near}
        self.state.pop(SEEN, None)
        if near and len(near) <= MOST_SEEN:
            self.state[SEEN] = near

    @property
    def _reached(self) -> Mark:
        """The greatest value met, never later than the start of the walk."""
        return min(self._highest, self.started) if isinstance(self._highest, datetime) else self._highest

    def _bookmarked(self) -> Mark:
        return mark(self.state.get(VALUE)) if self.key and self.state.get(KEY) == self.key else None

    def _less_overlap(self, value: Mark) -> Mark:
        return value - self.overlap if isinstance(value, datetime) else value

    def _forget_far(self, reached: Mark = None) -> None:
        bound = self._less_overlap(self._reached if reached is None else reached)
        self._near = {name: told for name, told in self._near.items() if told[0] >= bound}
        if len(self._near) > 4 * MOST_SEEN:
            self._near.clear()


def mark(value: Any) -> Mark:
    """A value as a moment or a whole number; None when it is neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _date(header: str | None) -> datetime | None:
    """The moment in a ``Date`` header; None when there is none."""
    try:
        found = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(value: Mark) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _name(row: Row, keys: Sequence[str]) -> str:
    return hashlib.blake2b(_encode([row.get(key) for key in keys]), digest_size=8).hexdigest()


def _print(row: Row) -> str:
    return hashlib.blake2b(_encode(row), digest_size=8).hexdigest()
