"""Bookmarks: what a state says, and that it never runs ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from snello.kit.sql import bookmarks
from snello.kit.sql.parts import Parts
from snello.kit.sql.query import Range
from snello.kit.sql.types import Column, column

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
CLOCK = bookmarks.Clock(NOW, ZoneInfo("Europe/Rome"), timedelta(seconds=60))


def col(type_: Any) -> Column:
    return column("at", type_, dialect="postgresql", nullable=False)


INSTANT, LOCAL, DAY = col(sa.TIMESTAMP(timezone=True)), col(sa.TIMESTAMP()), col(sa.DATE())


def sent(rows: Range, after: tuple[Any, ...]) -> Parts:
    parts = Parts([rows])
    parts.advance(rows, after)
    return parts


def state_of(value: Any) -> dict[str, Any]:
    return {"replication_key": "at", "replication_key_value": value}


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
def test_a_bookmark_is_never_later_than_its_row_nor_than_the_start(moment: datetime) -> None:
    value = moment.replace(tzinfo=UTC).isoformat()
    kept = datetime.fromisoformat(bookmarks.bookmark(INSTANT, value, CLOCK))
    assert kept == min(moment.replace(tzinfo=UTC), NOW)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        (LOCAL, "2026-06-01 14:00:00"),  # the wall clock in Rome
        (DAY, "2026-06-01"),
        (INSTANT, "2026-06-01 12:00:00+00:00"),
    ],
    ids=["local", "date", "instant"],
)
def test_a_future_value_is_held_back_in_its_own_way_of_writing(given_: Column, kept: str) -> None:
    suffix = "+00:00" if given_ is INSTANT else ""
    value = "2999-01-01" if given_ is DAY else f"2999-01-01 00:00:00{suffix}"
    assert bookmarks.bookmark(given_, value, CLOCK) == kept


def test_a_text_with_a_zone_is_held_back_in_that_zone() -> None:
    """SQLite compares times as text: digits of another zone would let the bookmark run ahead."""
    assert bookmarks.bookmark(LOCAL, "2999-01-01T00:00:00Z", CLOCK) == "2026-06-01T12:00:00Z"
    assert bookmarks.bookmark(LOCAL, "2999-01-01T00:00:00+05:00", CLOCK) == "2026-06-01T17:00:00+05:00"


@pytest.mark.parametrize("value", [7, "v7", "infinity"])
def test_a_value_that_is_no_time_is_kept_as_it_is(value: Any) -> None:
    key = col(sa.INTEGER()) if value == 7 else INSTANT
    assert bookmarks.bookmark(key, value, CLOCK) == value
    assert bookmarks.since(key, state_of(value), CLOCK) == value


def test_reading_starts_the_overlap_before_the_bookmark() -> None:
    assert bookmarks.since(LOCAL, state_of("2026-01-01 00:00:30"), CLOCK) == "2025-12-31 23:59:30"
    assert bookmarks.since(INSTANT, state_of("2026-01-01T00:01:00Z"), CLOCK) == "2026-01-01T00:00:00Z"
    assert bookmarks.since(DAY, state_of("2026-01-01"), CLOCK) == "2026-01-01"


def test_the_bookmark_of_another_key_counts_for_nothing() -> None:
    assert bookmarks.since(LOCAL, {"replication_key": "seen", "replication_key_value": "2026-01-01"}, CLOCK) is None
    assert bookmarks.since(LOCAL, {}, CLOCK) is None


def test_a_mark_brings_back_the_rest_of_its_range() -> None:
    state: dict[str, Any] = {}
    rows = Range(("at", "id"), since="2025-01-01", until="2026-01-01")
    bookmarks.note(state, sent(rows, ("2025-06-01", 7)))
    left = bookmarks.unfinished(state, ("at", "id"), unique=True)
    assert left is not None
    assert left.left == [Range(("at", "id"), after=("2025-06-01", 7), until="2026-01-01")]
    assert bookmarks.unfinished(state, ("id",), unique=True) is None
    bookmarks.finish(state)
    assert state == {}


def test_without_a_key_the_rows_of_the_last_value_are_read_again() -> None:
    """Some of the equal ones may not have been sent, and nothing tells them apart."""
    state: dict[str, Any] = {}
    bookmarks.note(state, sent(Range(("at",), unique=False), ("2025-06-01",)))
    left = bookmarks.unfinished(state, ("at",), unique=False)
    assert left is not None
    assert left.left == [Range(("at",), unique=False, since="2025-06-01")]
