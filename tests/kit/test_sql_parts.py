"""A table in parts: every row is in one of them, whatever the bounds, and what is left of each is in the state."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from snello.kit.sql.parts import Parts, bounds, divided, divisible, resumed
from snello.kit.sql.query import Range
from snello.kit.sql.types import column


def col(type_: Any) -> Any:
    return column("k", type_, dialect="sqlite", nullable=False)


WHOLE, LOCAL, DAY = col(sa.BIGINT()), col(sa.TIMESTAMP()), col(sa.DATE())


def holds(part: Range, value: int) -> bool:
    return (part.since is None or value >= part.since) and (part.below is None or value < part.below)


@given(st.integers(-50, 50), st.integers(0, 90), st.integers(1, 9), st.integers(-200, 200))
def test_every_value_is_in_one_part_even_outside_of_what_was_there(low: int, span: int, count: int, value: int) -> None:
    parts = divided(Range(("k",)), bounds(WHOLE, low, low + span, count))
    assert 1 <= len(parts) <= count
    assert sum(holds(part, value) for part in parts) == 1


@given(st.integers(-(2**63), 2**63 - 1), st.integers(2, 64))
def test_parts_are_of_one_size(high: int, count: int) -> None:
    low = -(2**63)
    edges = [low, *bounds(WHOLE, low, high, count), high]
    sizes = [end - start for start, end in pairwise(edges)]
    assert max(sizes) - min(sizes) <= 1 or high - low < count


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1)), st.integers(0, 10**9), st.integers(2, 9))
def test_times_are_divided_in_their_own_way_of_writing(low: datetime, seconds: int, count: int) -> None:
    low = low.replace(microsecond=0)
    high = datetime.fromtimestamp(min(low.timestamp() + seconds, datetime(9999, 1, 1).timestamp()))
    for sep in " T":
        marks = bounds(LOCAL, low.isoformat(sep), high.isoformat(sep), count)
        assert marks == sorted(set(marks))
        assert all(low.isoformat(sep) < mark <= high.isoformat(sep) for mark in marks)


@pytest.mark.parametrize(
    ("kind", "low", "high", "marks"),
    [
        (DAY, "2026-01-01", "2026-01-31", ["2026-01-16"]),
        (LOCAL, "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z", ["2026-01-02T00:00:00Z"]),
        (LOCAL, "2026-01-01 00:00:00+00:00", "2026-01-03 00:00:00+00:00", ["2026-01-02 00:00:00+00:00"]),
        (col(sa.NUMERIC(20)), "0", "10", ["5"]),
        (WHOLE, None, None, []),
        (WHOLE, 5, 5, []),
        (WHOLE, 1, "a text in a column of integers", []),
        (LOCAL, "-infinity", "infinity", []),
        (LOCAL, "0000-00-00 00:00:00", "2026-01-01 00:00:00", []),
    ],
)
def test_what_cannot_be_divided_is_one_part(kind: Any, low: Any, high: Any, marks: list[Any]) -> None:
    assert bounds(kind, low, high, 2) == marks


def test_only_numbers_and_times_are_divided() -> None:
    assert divisible(WHOLE)
    assert not divisible(col(sa.TEXT()))
    assert not divisible(col(sa.FLOAT()))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 99)), max_size=12), st.sets(st.integers(0, 3)))
def test_a_state_brings_back_what_is_left_of_every_part(sent: list[tuple[int, int]], done: set[int]) -> None:
    ranges = divided(Range(("k",), until=90), [25, 50, 75])
    parts = Parts(ranges)
    for place, value in sorted(sent):
        parts.advance(ranges[place], (place * 25 + value % 25,))
    for place in done:
        parts.finish(ranges[place])
    again = resumed(json.loads(json.dumps(parts.state())), ("k",), unique=True)
    assert again is not None
    assert again.state() == parts.state()
    assert again.last == parts.last
    assert len(again.left) == 4 - len(done)
    for part in again.left:
        assert part.until == 90
        assert part.after is not None or part in ranges


def test_a_state_of_one_part_is_as_short_as_ever() -> None:
    rows = Range(("k",))
    parts = Parts([rows])
    parts.advance(rows, (7,))
    assert parts.state() == {"order": ["k"], "after": [7]}
    assert resumed({"order": ["other"], "after": [7]}, ("k",), unique=True) is None
