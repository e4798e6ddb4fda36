from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from snello.kit.records import RecordLines, records_of

ODD_NAMES = ["plain", "with space", 'quo"te', "é", "class", "0", "_x", "record", "stream"]


def lines_of(table: pa.Table, raw: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    data = RecordLines("s", table.column_names, raw).of_table(table, "2024-01-01T00:00:00Z")
    assert data.count(b"\n") == table.num_rows
    return [json.loads(line) for line in data.splitlines()]


@given(
    st.lists(
        st.tuples(*(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))) for _ in ODD_NAMES)),
        max_size=5,
    )
)
def test_every_text_under_any_name_arrives_unchanged(rows: list[tuple[str | None, ...]]) -> None:
    records = [dict(zip(ODD_NAMES, row, strict=True)) for row in rows]
    table = pa.Table.from_pylist(records, schema=pa.schema([(name, pa.string()) for name in ODD_NAMES]))
    assert [line["record"] for line in lines_of(table)] == records


def test_the_envelope_is_a_singer_record() -> None:
    [line] = lines_of(pa.table({"a": [1]}))
    assert line == {"type": "RECORD", "stream": "s", "record": {"a": 1}, "time_extracted": "2024-01-01T00:00:00Z"}


def test_values_are_written_as_json_has_them() -> None:
    table = pa.table(
        {
            "at": pa.array([datetime(2024, 5, 1, 10, 0, 0, 5, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            "local": pa.array([datetime(2024, 5, 1, 10), None], pa.timestamp("s")),
            "day": pa.array([date(1900, 2, 28), None]),
            "time": pa.array([time(9, 30), None], pa.time64("us")),
            "amount": pa.array([Decimal("-1.50"), None], pa.decimal128(10, 2)),
            "ok": [True, None],
            "ratio": [0.5, None],
            "tags": ['["a", 1]', None],
        }
    )
    first, second = (line["record"] for line in lines_of(table, ("tags",)))
    assert first == {
        "at": "2024-05-01T10:00:00.000005Z",
        "local": "2024-05-01T10:00:00.000000",
        "day": "1900-02-28",
        "time": "09:30:00.000000",
        "amount": "-1.50",
        "ok": True,
        "ratio": 0.5,
        "tags": ["a", 1],
    }
    assert set(second.values()) == {None}
    assert list(records_of(table, ("tags",))) == [first, second]
