"""Records into columns: the fast path and the row-by-row path agree, and each record is a row or a misfit."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.kit.loader.columns import columns_of
from snello.kit.loader.decoding import RowDecoder

CALM = settings(deadline=None)  # a busy machine is no fault

PROPERTIES: dict[str, Any] = {
    "i": {"type": "integer"},
    "n": {"type": "number"},
    "b": {"type": "boolean"},
    "t": {"type": "string"},
    "d": {"type": "string", "format": "date"},
    "m": {"type": "string", "format": "date-time"},
    "c": {"type": "string", "format": "singer.decimal", "precision": 8, "scale": 2},
    "j": {"type": "object"},
}
COLUMNS = columns_of({"properties": PROPERTIES})

moments = st.tuples(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)).map(datetime.isoformat),
    st.sampled_from(["", "Z", "+00:00", "+02:00", "-05:30"]),
).map("".join)
fitting = st.fixed_dictionaries(
    {},
    optional={
        "i": st.none() | st.integers(-(2**63), 2**63 - 1),
        "n": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
        "b": st.none() | st.booleans(),
        "t": st.none() | st.text(),
        "d": st.none() | st.dates().map(str),
        "m": st.none() | moments,
        "c": st.none() | st.decimals(-999, 999, places=2).map(str) | st.integers(-999, 999),
        "j": st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner), max_leaves=4),
    },
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=5,
)
hostile = st.dictionaries(st.sampled_from([*PROPERTIES, "undeclared"]), anything) | anything


def moment(text: str | None) -> datetime | None:
    found = datetime.fromisoformat(text) if text else None
    return found.replace(tzinfo=UTC) if found and not found.tzinfo else found


def raw(record: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(record).encode())


@CALM
@given(st.lists(fitting, min_size=1, max_size=5))
def test_what_fits_decodes_alike_in_bulk_and_row_by_row(records: list[dict[str, Any]]) -> None:
    decoder = RowDecoder(COLUMNS)
    bulk, single = decoder.decode([raw(r) for r in records]), decoder._one_by_one([raw(r) for r in records])
    assert bulk.misfits == single.misfits == {}
    assert bulk.table == single.table
    assert bulk.table.column("i").to_pylist() == [record.get("i") for record in records]
    assert bulk.table.column("t").to_pylist() == [record.get("t") for record in records]
    assert bulk.table.column("m").to_pylist() == [moment(record.get("m")) for record in records]


@CALM
@given(st.lists(fitting | hostile, max_size=6))
def test_every_record_is_a_row_or_a_misfit_and_no_misfit_tells_a_value(records: list[Any]) -> None:
    decoded = RowDecoder(COLUMNS).decode([raw(record) for record in records])
    assert sorted([*decoded.kept, *decoded.misfits]) == list(range(len(records)))
    assert decoded.table.num_rows == len(decoded.kept)
    allowed = {f"field {name!r} " for name in PROPERTIES} | {"not valid JSON", "not a JSON object"}
    assert all(reason.startswith(tuple(allowed)) for reason in decoded.misfits.values())


undeclared = st.dictionaries(
    st.text(max_size=3).filter(lambda name: name not in PROPERTIES),
    st.text() | st.integers() | st.booleans(),
    max_size=2,
)


@CALM
@given(st.lists(st.tuples(fitting, undeclared), min_size=1, max_size=4))
def test_undeclared_fields_are_kept_beside_the_declared(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    decoded = RowDecoder(COLUMNS).decode([raw(own | more) for own, more in pairs])
    assert not decoded.misfits
    table = decoded.table
    extras = table.column("_extra").to_pylist() if "_extra" in table.column_names else [None] * len(pairs)
    assert [json.loads(extra) if extra else {} for extra in extras] == [more for _, more in pairs]
    assert table.column("i").to_pylist() == [own.get("i") for own, _ in pairs]


def test_an_empty_batch_has_the_columns_of_the_stream() -> None:
    decoded = RowDecoder(COLUMNS).decode([])
    assert decoded.table.schema.names == [column.name for column in COLUMNS]
    assert decoded.table.schema.types == [column.type for column in COLUMNS]
    assert isinstance(decoded.table, pa.Table)
