"""What DuckDB sees of a table is what its Delta schema says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from snello.errors import ContractError
from snello.lake import Lake
from snello.lake.scan import scan_sql

Rows = Callable[..., list[dict[str, Any]]]

ROW: dict[str, tuple[pa.DataType, Any, str]] = {
    "text": (pa.string(), "è", "VARCHAR"),
    "long": (pa.int64(), 2**62, "BIGINT"),
    "int": (pa.int32(), 3, "INTEGER"),
    "short": (pa.int16(), 3, "SMALLINT"),
    "byte": (pa.int8(), 3, "TINYINT"),
    "double": (pa.float64(), 1.5, "DOUBLE"),
    "float": (pa.float32(), 1.5, "FLOAT"),
    "flag": (pa.bool_(), True, "BOOLEAN"),
    "day": (pa.date32(), date(2026, 1, 2), "DATE"),
    "moment": (pa.timestamp("us", "UTC"), datetime(2026, 1, 2, tzinfo=UTC), "TIMESTAMP WITH TIME ZONE"),
    "wall": (pa.timestamp("us"), datetime(2026, 1, 2), "TIMESTAMP"),
    "money": (pa.decimal128(12, 2), Decimal("1.50"), "DECIMAL(12,2)"),
    "bytes": (pa.binary(), b"x", "BLOB"),
    "list": (pa.list_(pa.int64()), [1, 2], "BIGINT[]"),
    "struct": (pa.struct([("a", pa.string())]), {"a": "x"}, "STRUCT(a VARCHAR)"),
    "map": (pa.map_(pa.string(), pa.int64()), [("k", 1)], "MAP(VARCHAR, BIGINT)"),
    "odd \"name'": (pa.string(), "x", "VARCHAR"),
}
SCHEMA = pa.schema([(name, kind) for name, (kind, _, _) in ROW.items()])
VALUES = {name: value for name, (_, value, _) in ROW.items()}


def described(uri: Path) -> dict[str, str]:
    """Column names and types as DuckDB tells them."""
    return {row[0]: row[1] for row in duckdb.sql(f"describe {scan_sql(str(uri))}").fetchall()}


def test_an_empty_table_has_its_columns_and_types_and_no_row(tmp_path: Path) -> None:
    DeltaTable.create(tmp_path, SCHEMA)
    assert described(tmp_path) == {name: kind for name, (_, _, kind) in ROW.items()}
    assert duckdb.sql(scan_sql(str(tmp_path))).fetchall() == []


def test_values_of_every_type_come_back(tmp_path: Path, rows: Rows) -> None:
    write_deltalake(tmp_path, pa.Table.from_pylist([VALUES], schema=SCHEMA))
    assert described(tmp_path) == {name: kind for name, (_, _, kind) in ROW.items()}
    assert rows(tmp_path) == [VALUES]


def test_a_column_that_no_file_holds_is_a_typed_null(tmp_path: Path, rows: Rows) -> None:
    write_deltalake(tmp_path, pa.table({"id": [1]}))
    write_deltalake(tmp_path, pa.table({"id": [2], "day": [date(2026, 1, 2)]}), mode="append", schema_mode="merge")
    assert sorted(rows(tmp_path), key=str) == [{"id": 1, "day": None}, {"id": 2, "day": date(2026, 1, 2)}]
    assert described(tmp_path) == {"id": "BIGINT", "day": "DATE"}
    assert rows(tmp_path, version=0) == [{"id": 1}]


def test_a_statement_keeps_reading_the_version_that_it_was_made_for(tmp_path: Path) -> None:
    write_deltalake(tmp_path, pa.table({"id": [1]}))
    statement = scan_sql(str(tmp_path))
    write_deltalake(tmp_path, pa.table({"id": [2]}), mode="append")
    assert duckdb.sql(statement).fetchall() == [(1,)]


def test_a_lake_in_a_folder_with_spaces_and_accents_is_read(tmp_path: Path, rows: Rows) -> None:
    uri = tmp_path / "il mio lake à" / "a=b" / "it's"
    uri.mkdir(parents=True)
    write_deltalake(uri, pa.table({"id": [1]}))
    assert rows(uri) == [{"id": 1}]


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no such table in the lake"):
        scan_sql(str(tmp_path / "absent"))


def test_raw_tables_are_found_with_the_names_that_their_taps_gave(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    assert lake.raw_tables() == {}
    names = [("crm", "customers"), ("crm", "_quarantine"), ("odd source", "a/b.c: è@%"), ("x", "..")]
    for source, stream in names:
        uri = Path(lake.raw_uri(source, stream))
        uri.mkdir(parents=True)
        write_deltalake(uri, pa.table({"id": [1]}))
    (tmp_path / "raw" / "crm" / "no table").mkdir()
    assert lake.raw_tables() == {(source, stream): lake.raw_uri(source, stream) for source, stream in names}
    assert all(Path(uri).parents[1] == tmp_path / "raw" for uri in lake.raw_tables().values())
