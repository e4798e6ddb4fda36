"""A table read in ranges of its key, several at once, and how far each of them has come.

Every row is in one range, whatever the bounds are worth: the first range has no lower bound and the last no upper one,
and what one leaves out the next takes in. A state with an unfinished reading holds what is left of each range.

    {"order": ["id"], "after": [70]}                                                 one range
    {"order": ["id"], "parts": [{"below": 50, "done": true, "after": [49]}, {"since": 50, "after": [70]}]}
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from snello.kit.sql.query import Range
from snello.kit.sql.types import Column, Kind

_WHOLE = {Kind.INTEGER, Kind.DECIMAL}
_TIMES = {Kind.DATE, Kind.LOCAL, Kind.INSTANT}


def divisible(column: Column) -> bool:
    """Whether values of this column can be divided by number alone."""
    return column.kind in _WHOLE | _TIMES


def bounds(column: Column, lowest: Any, highest: Any, count: int) -> list[Any]:
    """Values that divide the span between two of a column in so many parts, none where that makes no sense."""
    try:
        found = _times(lowest, highest, count) if column.kind in _TIMES else _wholes(column, lowest, highest, count)
    except (ValueError, TypeError, ArithmeticError):
        return []  # no key, infinity, a text in SQLite's integer column
    return found


def _wholes(column: Column, lowest: Any, highest: Any, count: int) -> list[Any]:
    low, high = int(Decimal(str(lowest))), int(Decimal(str(highest)))
    marks = sorted({low + (high - low) * number // count for number in range(1, count)} - {low})
    return [mark if column.kind is Kind.INTEGER else str(mark) for mark in marks]


def _times(lowest: str, highest: str, count: int) -> list[Any]:
    low, high = datetime.fromisoformat(lowest), datetime.fromisoformat(highest)
    moments = [(low + (high - low) * number / count).replace(microsecond=0) for number in range(1, count)]
    days = len(lowest) <= len(date.max.isoformat())
    texts = [moment.date().isoformat() if days else moment.isoformat(sep=lowest[10]) for moment in moments]
    if lowest.endswith("Z"):
        texts = [text.replace("+00:00", "Z") for text in texts]
    return [text for text in dict.fromkeys(texts) if text > lowest]


def divided(rows: Range, marks: list[Any]) -> list[Range]:
    """A range cut at these values of the first of its order; each value opens a part."""
    edges = [rows.since, *marks, rows.below]
    return [replace(rows, since=since, below=below) for since, below in pairwise(edges)]


class Parts:
    """The ranges of one reading, lowest first, with what was sent of each."""

    def __init__(self, ranges: list[Range]) -> None:
        self.ranges = ranges
        self._after: list[tuple[Any, ...] | None] = [part.after for part in ranges]
        self._done = [False] * len(ranges)

    @property
    def left(self) -> list[Range]:
        """The ranges that were not read to their end."""
        return [part for part, done in zip(self.ranges, self._done, strict=True) if not done]

    @property
    def last(self) -> tuple[Any, ...] | None:
        """The highest key that was sent; None when there was no row."""
        return next((after for after in reversed(self._after) if after is not None), None)

    def advance(self, part: Range, after: tuple[Any, ...]) -> None:
        """All rows of a range up to this key were sent."""
        self._after[self._place(part)] = after

    def finish(self, part: Range) -> None:
        """All rows of a range were sent."""
        self._done[self._place(part)] = True

    def _place(self, part: Range) -> int:
        return next(place for place, each in enumerate(self.ranges) if each is part)

    def state(self) -> dict[str, Any]:
        """What a later run needs to go on."""
        first = self.ranges[0]
        found: dict[str, Any] = {"order": list(first.order)}
        if first.until is not None:
            found["until"] = first.until
        if len(self.ranges) == 1 and self._after[0] is not None:
            return found | {"after": list(self._after[0])}
        return found | {"parts": [self._part(place) for place in range(len(self.ranges))]}

    def _part(self, place: int) -> dict[str, Any]:
        part, after = self.ranges[place], self._after[place]
        known = {
            "since": part.since if after is None else None,
            "below": part.below,
            "after": None if after is None else list(after),
            "done": self._done[place] or None,
        }
        return {name: value for name, value in known.items() if value is not None}


def resumed(left: dict[str, Any], order: tuple[str, ...], *, unique: bool) -> Parts | None:
    """The reading that a state speaks of; None when it was in another order."""
    if not order or tuple(left.get("order", ())) != order:
        return None
    given = left.get("parts") or [left]
    parts = Parts([_range(part, order, left.get("until"), unique=unique) for part in given])
    for place, part in enumerate(given):
        parts._after[place] = tuple(part["after"]) if part.get("after") else None
        parts._done[place] = bool(part.get("done"))
    return parts


def _range(part: dict[str, Any], order: tuple[str, ...], until: Any, *, unique: bool) -> Range:
    after = tuple(part["after"]) if part.get("after") else None
    below = part.get("below")
    if after is None:
        return Range(order, unique, since=part.get("since"), until=until, below=below)
    if unique:
        return Range(order, unique, after, until=until, below=below)
    # of equal rows, some may not have been sent
    return Range(order, unique, since=after[0], until=until, below=below)
