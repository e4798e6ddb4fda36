"""BATCH messages: Parquet files that fit become part of the table as they are, the others are read."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snello.errors import ContractError
from snello.lake import Lake
from target_lake import TargetLake

MOMENT = pa.timestamp("us", "UTC")
READ_AT = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = {
    "type": "SCHEMA",
    "stream": "s",
    "key_properties": ["id"],
    "schema": {"properties": {"id": {"type": "integer"}, "v": {"type": ["string", "null"]}, "o": {"type": "object"}}},
}
STATE = {"type": "STATE", "value": {"at": 1}}

Load = Callable[..., str]
Write = Callable[..., Path]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def load(lake: Lake, capsys: pytest.CaptureFixture[str]) -> Load:
    def run(*messages: dict[str, Any], **config: Any) -> str:
        source = io.StringIO("".join(json.dumps(message) + "\n" for message in messages))
        capsys.readouterr()
        TargetLake(config={"root": lake.root, "source": "src", **config}).listen(source)
        return capsys.readouterr().out

    return run


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A Parquet file as a tap leaves it, with the time of reading unless ``stamped`` is false."""

    def made(columns: dict[str, Any], stamped: bool = True, name: str = "part 1.parquet") -> Path:
        table = pa.table(columns)
        if stamped:
            table = table.append_column("_sdc_extracted_at", pa.array([READ_AT] * len(table), MOMENT))
        pq.write_table(table, tmp_path / name)
        return tmp_path / name

    return made


def batch(*paths: Path, **encoding: str) -> dict[str, Any]:
    manifest = [path.as_uri() for path in paths]
    return {"type": "BATCH", "stream": "s", "encoding": {"format": "parquet"} | encoding, "manifest": manifest}


def record(**fields: Any) -> dict[str, Any]:
    return {"type": "RECORD", "stream": "s", "record": fields}


def rows(lake: Lake, columns: str = "id, v", stream: str = "s") -> list[tuple[Any, ...]]:
    return duckdb.sql(f"select {columns} from ({lake.scan_sql(lake.raw_uri('src', stream))}) order by all").fetchall()


def inodes(folder: str) -> set[int]:
    return {path.stat().st_ino for path in Path(folder).glob("*.parquet")}


def test_a_file_that_fits_is_moved_into_the_table_unread(load: Load, lake: Lake, write: Write) -> None:
    file = write({"id": [1, 2], "v": ["a", None]})
    inode = file.stat().st_ino
    assert load(SCHEMA, batch(file), STATE) == '{"at": 1}\n'
    assert rows(lake) == [(1, "a"), (2, None)]
    assert inodes(lake.raw_uri("src", "s")) == {inode}
    assert not file.exists()


def test_a_moved_file_replaces_rows_of_the_same_keys(load: Load, lake: Lake, write: Write) -> None:
    load(SCHEMA, record(id=1, v="old"), record(id=2, v="old"))
    file = write({"id": [2, 3], "v": ["new", "new"]})
    inode = file.stat().st_ino
    load(SCHEMA, batch(file))
    assert rows(lake) == [(1, "old"), (2, "new"), (3, "new")]
    assert inode in inodes(lake.raw_uri("src", "s"))


def test_records_and_files_count_in_the_order_in_which_they_come(load: Load, lake: Lake, write: Write) -> None:
    first, second = write({"id": [1], "v": ["b"]}), write({"id": [1], "v": ["c"]}, name="2.parquet")
    load(SCHEMA, record(id=1, v="a"), batch(first), batch(second), record(id=2, v="d"))
    assert rows(lake) == [(1, "c"), (2, "d")]
    load(SCHEMA, batch(write({"id": [1], "v": ["e"]})), record(id=1, v="f"))
    assert rows(lake) == [(1, "f"), (2, "d")]


@pytest.mark.parametrize(
    "columns",
    [
        {"id": pa.array([1, 2, 1]), "v": ["a", "b", "c"]},
        {"id": pa.array([1, 2, 1], pa.int32()), "v": pa.array(["a", "b", "c"]).dictionary_encode()},
        {"id": pa.array([1, 2, 1]), "v": ["a", "b", "c"], "o": [{"x": 1}, None, {"x": 2}]},
    ],
    ids=["a key twice", "other types", "nested values"],
)
def test_a_file_that_does_not_fit_is_read(load: Load, lake: Lake, write: Write, columns: dict[str, Any]) -> None:
    file = write(columns)
    load(SCHEMA, batch(file))
    assert rows(lake) == [(1, "c"), (2, "b")]
    assert not file.exists()


def test_nested_values_of_a_file_become_json(load: Load, lake: Lake, write: Write) -> None:
    load(SCHEMA, batch(write({"id": [1], "o": [{"x": [1, 2]}]})))
    assert rows(lake, "id, o") == [(1, '{"x":[1,2]}')]


def test_rows_of_a_file_that_do_not_fit_are_quarantined(load: Load, lake: Lake, write: Write) -> None:
    load(SCHEMA, batch(write({"id": pa.array([1, None, 3]), "v": ["a", "b", "c"], "more": [None, "x", "y"]})))
    assert rows(lake, "id, v, _extra") == [(1, "a", '{"more":null}'), (3, "c", '{"more":"y"}')]
    assert rows(lake, "stream, reason", "_quarantine") == [("s", "key 'id' is missing or null")]


def test_the_target_fills_in_the_time_of_reading(load: Load, lake: Lake, write: Write) -> None:
    load(SCHEMA, batch(write({"id": [1], "v": ["a"]}, stamped=False)))
    assert rows(lake, "id, _sdc_extracted_at is not null") == [(1, True)]


@pytest.mark.parametrize("method", ["append-only", "overwrite"])
def test_files_follow_the_load_method(load: Load, lake: Lake, write: Write, method: str) -> None:
    load(SCHEMA, record(id=1, v="old"), record(id=2, v="old"))
    load(SCHEMA, batch(write({"id": [2, 3], "v": ["new", "new"]})), load_method=method)
    kept = [(1, "old"), (2, "old"), (3, "new")] if method == "append-only" else [(2, "new"), (3, "new")]
    assert rows(lake) == kept


def test_files_of_a_stream_without_keys_are_not_doubled_by_a_rerun(load: Load, lake: Lake, write: Write) -> None:
    for _ in range(2):
        load(SCHEMA | {"key_properties": []}, batch(write({"id": [1, 1, 2], "v": ["a", "a", "b"]})), batch_rows=2)
    assert rows(lake) == [(1, "a"), (1, "a"), (2, "b")]


def test_json_lines_are_taken_too_gzipped_or_not(load: Load, lake: Lake, tmp_path: Path) -> None:
    lines = b'{"id": 1, "v": "a"}\n{"id": "x"}\n'
    (tmp_path / "1.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "2.jsonl").write_bytes(lines.replace(b"1", b"2"))
    load(
        SCHEMA,
        batch(tmp_path / "1.jsonl.gz", format="jsonl", compression="gzip"),
        batch(tmp_path / "2.jsonl", format="jsonl"),
    )
    assert rows(lake) == [(1, "a"), (2, "a")]


def test_a_missing_file_a_damaged_one_and_a_foreign_format_are_told(load: Load, tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    for name in ("absent.parquet", "bad.parquet"):
        with pytest.raises(ContractError, match="missing or damaged"):
            load(SCHEMA, batch(tmp_path / name))
    with pytest.raises(ContractError, match="BATCH format 'csv'"):
        load(SCHEMA, batch(tmp_path / "x.csv", format="csv"))


def test_a_file_and_its_records_make_the_same_columns(load: Load, lake: Lake, write: Write) -> None:
    load(SCHEMA, batch(write({"id": [1], "v": ["a"]})))
    by_file = rows(lake, "*")
    load(SCHEMA, record(id=1, v="a", _sdc_extracted_at=READ_AT.isoformat()))
    assert rows(lake, "*") == by_file
