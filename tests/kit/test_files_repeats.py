from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.kit.files import repeats
from snello.kit.files.repeats import Repeats


def table(rows: Sequence[tuple[Any, ...]], first: int = 1, file: str = "f") -> pa.Table:
    """Rows of columns a, b …, with their place."""
    columns = {chr(97 + index): list(values) for index, values in enumerate(zip(*rows, strict=True))}
    lines = list(range(first, first + len(rows)))
    own = {"_sdc_file": [file] * len(rows), "_sdc_line": pa.array(lines, pa.int64())}
    return pa.table(columns | own | {"_extra": pa.nulls(len(rows), pa.string())})


def plainly(rows: Sequence[tuple[Any, ...]]) -> dict[int, int]:
    """What contradicts an earlier row, found with a dictionary."""
    firsts: dict[Any, tuple[int, Any]] = {}
    told = {}
    for place, (key, *content) in enumerate(rows):
        line, first = firsts.setdefault(key, (place + 1, content))
        if first != content:
            told[place] = line
    return told


def test_a_key_that_comes_again_with_other_content_is_told_with_the_line_of_the_first() -> None:
    seen = Repeats(("a",))
    assert seen.contradicting(table([("k", 1), ("l", 1), ("k", 2), ("k", 1), ("k", 2)])) == {2: 1, 4: 1}
    assert seen.contradicting(table([("m", 1), ("l", 2), ("k", 1), ("m", 1)], first=6)) == {1: 2}
    assert seen.count == 3


@pytest.mark.parametrize(
    "content",
    [None, "", "x", 7, 0.5, True, date(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC), Decimal("1.20"), "x" * 10**6],
)
def test_every_type_is_compared_by_value(content: Any) -> None:
    seen = Repeats(("a",))
    values = pa.array([content, content, None]) if content is not None else pa.nulls(3, pa.string())
    rows = table([("k",)] * 3).append_column("b", values)
    assert seen.contradicting(rows) == ({2: 1} if content is not None else {})


def test_a_key_is_all_its_columns_and_their_order_counts() -> None:
    assert Repeats(("a", "b")).contradicting(table([("x", "y", 1), ("y", "x", 2), ("x", "y", 2)])) == {2: 1}


def test_undeclared_fields_are_content_and_the_place_is_not() -> None:
    seen = Repeats(("a",))
    rows = table([("k", 1)] * 2)
    assert seen.contradicting(rows) == {}
    other = rows.set_column(rows.column_names.index("_extra"), "_extra", pa.array([None, '{"colour":"red"}']))
    assert seen.contradicting(other) == {1: 1}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 1)), max_size=300),
    st.integers(1, 40),
    st.sampled_from([repeats.LARGEST_RUN, 16]),
)
def test_in_tables_of_any_size_it_finds_what_a_dictionary_would(
    rows: list[tuple[int, int]], size: int, largest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "LARGEST_RUN", largest)
        seen = Repeats(("a",))
        told: dict[int, int] = {}
        for start in range(0, len(rows), size):
            found = seen.contradicting(table(rows[start : start + size], first=start + 1))
            told |= {start + row: line for row, line in found.items()}
    assert told == plainly(rows)


def test_a_row_costs_forty_bytes_at_most() -> None:
    rows, seen = 300_000, Repeats(("a",))
    for start in range(0, rows, 10_000):
        assert seen.contradicting(table([(f"key {start + n}", "x" * 50) for n in range(10_000)], first=start)) == {}
    arrays = [array for run in seen._runs for array in run]
    assert sum(array.nbytes for array in (*arrays, seen._cells)) <= 40 * rows
    assert len(seen._runs) < 2 * repeats.RUNS
    assert seen.contradicting(table([("key 4711", "y"), ("key 299999", "x" * 50)], first=rows)) == {0: 4711}
