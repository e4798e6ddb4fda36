"""Types grow without losing a value, or not at all."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.lake.evolution import holding_both

CALM = settings(deadline=None)  # a busy machine is no fault

MOMENT = pa.timestamp("us", "UTC")
TYPES = [pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.date32(), MOMENT, *map(pa.decimal128, (5, 38), (2, 9))]
types = st.sampled_from(TYPES)


@CALM
@given(types, types)
def test_the_type_that_holds_both_does_not_depend_on_which_came_first(one: pa.DataType, other: pa.DataType) -> None:
    both = holding_both(one, other)
    assert both == holding_both(other, one)
    if both is not None:
        assert holding_both(both, one) == holding_both(both, other) == both


@pytest.mark.parametrize(
    ("old", "new", "both"),
    [
        (pa.int64(), pa.float64(), pa.float64()),
        (pa.int64(), pa.decimal128(5, 2), pa.decimal128(21, 2)),
        (pa.decimal128(10, 2), pa.decimal128(8, 4), pa.decimal128(12, 4)),
        (pa.decimal128(38, 0), pa.decimal128(10, 2), None),
        (pa.date32(), MOMENT, MOMENT),
        (pa.bool_(), pa.string(), pa.string()),
        (pa.bool_(), pa.int64(), None),
        (pa.float64(), pa.decimal128(10, 2), None),
        (pa.date32(), pa.int64(), None),
    ],
)
def test_what_holds_both(old: pa.DataType, new: pa.DataType, both: pa.DataType | None) -> None:
    assert holding_both(old, new) == both
