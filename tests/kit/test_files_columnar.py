from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snello.errors import ContractError
from snello.kit.files import columnar, reading
from snello.kit.files.drift import Drift
from snello.kit.files.layout import Column, FileSet

LAYOUT = FileSet.model_validate({"stream": "s", "path": "p", "format": "parquet"})


def parquet(table: pa.Table) -> io.BytesIO:
    raw = io.BytesIO()
    pq.write_table(table, raw)
    raw.seek(0)
    return raw


def rows_of(raw: io.BytesIO, *columns: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Any]]:
    wanted = tuple(Column.model_validate(column) for column in columns)
    source = reading.Source(raw, "f.parquet", "tap: s: f.parquet")
    found, refused = [], []
    for table, refusals, _, _ in reading.read_part(source, LAYOUT, wanted, Drift()):
        found += table.to_pylist()
        refused += refusals
    return found, refused


def test_undeclared_columns_keep_the_types_of_the_file() -> None:
    table = pa.table(
        {
            "id": pa.array([1], pa.int32()),
            "amount": pa.array([Decimal("1.50")], pa.decimal128(10, 2)),
            "ratio": pa.array([0.5], pa.float32()),
            "ok": [True],
            "day": [date(2024, 1, 1)],
            "at": pa.array([datetime(2024, 1, 1, 9)], pa.timestamp("ms")),
            "name": pa.array(["x"]).dictionary_encode(),
            "tags": [["a"]],
        }
    )
    columns = columnar.columns_of(parquet(table), "tap: s: f")
    assert [column.type for column in columns] == [
        "integer",
        "decimal",
        "number",
        "boolean",
        "date",
        "date-time",
        "string",
        "json",
    ]
    found, refused = rows_of(parquet(table), *(column.model_dump() for column in columns))
    assert refused == []
    assert found == [
        {
            "id": 1,
            "amount": Decimal("1.50"),
            "ratio": 0.5,
            "ok": True,
            "day": date(2024, 1, 1),
            "at": datetime(2024, 1, 1, 9, tzinfo=UTC),
            "name": "x",
            "tags": '["a"]',
            "_sdc_file": "f.parquet",
            "_sdc_line": 1,
            "_extra": None,
        }
    ]


def test_declared_types_rename_and_cast() -> None:
    table = pa.table({"ID": ["1", "x"], "at": pa.array([datetime(2024, 1, 1, 9)] * 2, pa.timestamp("us"))})
    columns = (
        {"name": "id", "source": "ID", "type": "integer"},
        {"name": "at", "type": "date-time", "timezone": "Europe/Rome"},
    )
    found, [refusal] = rows_of(parquet(table), *columns)
    assert [(row["id"], row["at"]) for row in found] == [(1, datetime(2024, 1, 1, 8, tzinfo=UTC))]
    assert (refusal.line, refusal.reason) == (2, "id: not an integer")


def test_a_cast_that_would_lose_something_is_judged_row_by_row() -> None:
    found, refused = rows_of(parquet(pa.table({"n": [1.0, 1.5]})), {"name": "n", "type": "integer"})
    assert [row["n"] for row in found] == [1]
    assert [refusal.line for refusal in refused] == [2]


def test_a_missing_column_or_no_parquet_file_is_told() -> None:
    with pytest.raises(ContractError, match="the header has no column 'b'"):
        rows_of(parquet(pa.table({"a": [1]})), {"name": "b"})
    with pytest.raises(ContractError, match="not a Parquet file"):
        rows_of(io.BytesIO(b"PAR1 nothing PAR1"), {"name": "b"})
