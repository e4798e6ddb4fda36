"""What the state of a SQL stream says: where a finished reading ended, and where an unfinished one goes on.

    {"replication_key": "updated_at", "replication_key_value": "2026-03-01T10:00:00"}    finished
    {"resume": {"order": ["updated_at", "id"], "after": [..], "until": ..}}               cut off; goes on from there

A bookmark is the value of a row that was sent, never later than the start of its run: neither a row that is committed
while the run goes on nor one dated in the future makes the next run skip anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from snello.kit.sql.parts import Parts, resumed
from snello.kit.sql.types import Column, Kind

RESUME = "resume"


@dataclass(frozen=True)
class Clock:
    """When a run began, and how far before a bookmark it looks."""

    began: datetime
    zone: ZoneInfo
    overlap: timedelta

    def like(self, moment: datetime, kind: Kind) -> datetime:
        """The start as the column would have it that ``moment`` is from: in its zone, or on its wall clock."""
        if moment.tzinfo is not None:
            return self.began.astimezone(moment.tzinfo)
        return self.began.astimezone(UTC if kind is Kind.INSTANT else self.zone).replace(tzinfo=None)


def unfinished(state: dict[str, Any], order: tuple[str, ...], *, unique: bool) -> Parts | None:
    """What a cut-off reading in this order has left; None when there is none or the order is another."""
    left = state.get(RESUME)
    return resumed(left, order, unique=unique) if isinstance(left, dict) else None


def note(state: dict[str, Any], parts: Parts) -> None:
    """Write down how far each part has come."""
    state[RESUME] = parts.state()


def finish(state: dict[str, Any]) -> None:
    """Write down that the reading came to its end."""
    state.pop(RESUME, None)


def since(column: Column, state: dict[str, Any], clock: Clock) -> Any:
    """From where an incremental reading starts: the bookmark, less the overlap; None for the whole table."""
    value = state.get("replication_key_value")
    if value is None or state.get("replication_key") != column.name:
        return None
    moment = _moment(column, value)
    if moment is None or column.kind is Kind.DATE or not clock.overlap:
        return value
    return _like(value, moment - clock.overlap)


def bookmark(column: Column, value: Any, clock: Clock) -> Any:
    """The value of the last row sent, held back to the start of the run."""
    moment = _moment(column, value)
    if moment is None:
        return value
    now = clock.like(moment, column.kind)
    return value if moment <= now else _like(value, now)


def _moment(column: Column, value: Any) -> datetime | None:
    if column.kind not in {Kind.INSTANT, Kind.LOCAL, Kind.DATE} or not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _like(text: str, moment: datetime) -> str:
    """The moment written as the text is: SQLite compares times as text."""
    if len(text) <= len(date.max.isoformat()):
        return moment.date().isoformat()
    written = moment.isoformat(sep=text[10])
    return written.replace("+00:00", "Z") if text.endswith("Z") else written
