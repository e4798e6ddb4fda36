"""Working one step ahead changes neither the items nor their faults."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, active_count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello.kit.sql.ahead import ahead


@given(st.lists(st.integers(), max_size=20), st.integers(1, 4))
def test_the_items_are_the_same_in_the_same_order(items: list[int], depth: int) -> None:
    assert list(ahead(iter(items), depth)) == items


def test_a_fault_comes_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    items = ahead(broken())
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_a_caller_that_stops_early_ends_the_thread_and_closes_the_source() -> None:
    closed = Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    before = active_count()
    items = ahead(endless())
    next(items)
    items.close()
    assert closed.is_set()
    assert active_count() == before
