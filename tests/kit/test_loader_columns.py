"""A JSON schema as columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.kit.loader.columns import arrow_schema, columns_of

CALM = settings(deadline=None)  # a busy machine is no fault

names = st.text(st.sampled_from("aAbB ._\"'é\n=;"), max_size=4)


def types(**properties: Any) -> list[pa.DataType]:
    return arrow_schema(columns_of({"properties": properties})).types[:-1]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"type": "integer"}, pa.int64()),
        ({"type": ["null", "integer"]}, pa.int64()),
        ({"type": ["integer", "number"]}, pa.float64()),
        ({"type": ["integer", "string"]}, pa.string()),
        ({"type": "string", "format": "date"}, pa.date32()),
        ({"type": "string", "format": "date-time"}, pa.timestamp("us", "UTC")),
        ({"type": "string", "format": "uuid"}, pa.string()),
        ({"type": "string", "format": "singer.decimal"}, pa.decimal128(38, 9)),
        ({"type": "string", "format": "x-singer.decimal", "precision": 10}, pa.decimal128(10, 0)),
        ({"type": "string", "format": "singer.decimal", "precision": 10, "scale": 2}, pa.decimal128(10, 2)),
        ({"type": "string", "format": "singer.decimal", "precision": 50, "scale": 2}, pa.string()),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, pa.bool_()),
        ({"oneOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]},
         pa.timestamp("us", "UTC")),
        ({"enum": [1, 2]}, pa.string()),
        ({"type": []}, pa.string()),
        (True, pa.string()),
    ],
)  # fmt: skip
def test_a_property_has_the_type_that_its_values_need(declared: Any, expected: pa.DataType) -> None:
    assert types(x=declared) == [expected]


def test_two_decimals_share_a_column_that_holds_both() -> None:
    sizes = [{"type": "string", "format": "singer.decimal", "precision": p, "scale": s} for p, s in ((10, 4), (12, 2))]
    assert types(x={"anyOf": sizes}) == [pa.decimal128(14, 4)]


def mapping(properties: list[str], table: pa.Schema | None = None) -> dict[str, str]:
    found = columns_of({"properties": {name: {} for name in properties}}, table)
    return {column.property: column.name for column in found}


@CALM
@given(st.sets(names, min_size=1, max_size=8), st.randoms(), st.integers(0, 8))
def test_columns_are_distinct_for_every_engine_and_stay_when_properties_are_added_or_reordered(
    properties: set[str], chance: Any, first: int
) -> None:
    ordered = sorted(properties)
    table = arrow_schema(columns_of({"properties": {name: {} for name in ordered[:first]}}))
    chance.shuffle(ordered)
    whole = mapping(ordered, table)
    assert len({name.lower() for name in whole.values()}) == len(whole)
    assert all(name and not set(name) & set(" ,;{}()\n\t=.\"'") for name in whole.values())
    assert set(table.names) <= set(whole.values())
    grown = arrow_schema(columns_of({"properties": {name: {} for name in ordered}}, table))
    assert whole == mapping(ordered[::-1], table) == mapping(ordered, grown)
