"""Bounds are exact, or they are not there."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snello.lake.bounds import bounds_of, disjoint, live_files, union
from snello.lake.writer import TableWriter

columns = st.one_of(
    st.tuples(st.just(pa.int64()), st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1)),
    st.tuples(st.just(pa.string()), st.lists(st.text(max_size=200), min_size=1)),
    st.tuples(st.just(pa.date32()), st.lists(st.dates(), min_size=1)),
    st.tuples(st.just(pa.timestamp("us", "UTC")), st.lists(st.datetimes(timezones=st.just(UTC)), min_size=1)),
    st.tuples(st.just(pa.decimal128(20, 3)), st.lists(st.decimals(-(10**15), 10**15, places=3), min_size=1)),
    st.tuples(st.just(pa.float64()), st.lists(st.floats(), min_size=1)),
    st.tuples(st.just(pa.bool_()), st.lists(st.booleans(), min_size=1)),
)


@given(columns)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_bounds_that_come_back_from_the_log_or_a_checkpoint_are_the_exact_extremes(
    column: tuple[pa.DataType, list[Any]],
) -> None:
    kind, values = column
    with tempfile.TemporaryDirectory() as folder:
        writer = TableWriter(folder, "run", pa.schema([("k", kind)]))
        writer.append(pa.table({"k": pa.array(values, kind)}), ["k"])
        writer.close()
        [by_log] = live_files(DeltaTable(folder), ["k"])
        DeltaTable(folder).create_checkpoint()
        [by_checkpoint] = live_files(DeltaTable(folder), ["k"])
    exact = {"k": (min(values), max(values))}
    assert by_log.bounds in ({}, exact)
    assert by_checkpoint.bounds in ({}, exact)
    if kind == pa.int64():
        assert by_log.bounds == by_checkpoint.bounds == exact


@pytest.mark.parametrize(
    ("kind", "values", "trusted"),
    [
        (pa.int64(), [1, 5], True),
        (pa.date32(), [date(2026, 1, 1), date(2026, 1, 5)], True),
        (pa.string(), ["a", "b"], True),
        (pa.string(), ["a", "b" * 100], False),
        (pa.timestamp("us", "UTC"), [datetime(2026, 1, 1, tzinfo=UTC)], False),
        (pa.decimal128(10, 2), [Decimal("1.50")], False),
        (pa.float64(), [1.5], False),
    ],
)
def test_of_another_writer_only_bounds_that_none_rounds_or_cuts_are_trusted(
    tmp_path: Path, kind: pa.DataType, values: list[Any], trusted: bool
) -> None:
    write_deltalake(tmp_path, pa.table({"k": pa.array(values, kind)}))
    [file] = live_files(DeltaTable(tmp_path), ["k"])
    assert file.bounds == ({"k": (min(values), max(values))} if trusted else {})


def test_ranges_that_touch_are_not_disjoint_and_unknown_ones_never_are() -> None:
    assert disjoint({"k": (1, 2)}, {"k": (3, 4)})
    assert not disjoint({"k": (1, 3)}, {"k": (3, 4)})
    assert not disjoint({}, {"k": (3, 4)})
    assert disjoint({"a": (1, 9), "b": ("x", "x")}, {"a": (1, 9), "b": ("y", "z")})


def test_a_union_knows_only_what_both_know() -> None:
    assert union({"a": (1, 2), "b": (1, 1)}, {"a": (0, 1)}) == {"a": (0, 2)}


def test_a_date_beyond_python_has_no_bounds() -> None:
    far = pa.table({"k": pa.array([2**40], pa.int64()).cast(pa.timestamp("us", "UTC"))})
    assert bounds_of(far, ["k"])
    beyond = pa.table({"k": pa.array([2**62], pa.int64()).cast(pa.timestamp("us", "UTC"))})
    assert bounds_of(beyond, ["k"]) == {}
