"""Writing tables: upserts equal a dictionary, whoever writes, whatever breaks."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snello.errors import ContractError, RetryLater
from snello.lake.bounds import disjoint, live_files
from snello.lake.datafiles import read_columns
from snello.lake.keysets import KeySet
from snello.lake.scan import scan_sql
from snello.lake.writer import TableWriter

Rows = Callable[..., list[dict[str, Any]]]
LAWS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

KEYS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "integer": (pa.int64(), st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9)),
    "text": (pa.string(), st.text(max_size=3) | st.sampled_from(["x" * 200, "x" * 200 + "a", "x" * 31, "é" * 40])),
    "date": (pa.date32(), st.dates()),
    "moment": (
        pa.timestamp("us", "UTC"),
        st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    ),
    "decimal": (pa.decimal128(38, 2), st.decimals(-(10**20), 10**20, places=2, allow_nan=False)),
    "boolean": (pa.bool_(), st.booleans()),
}


@st.composite
def histories(draw: st.DrawFn) -> tuple[pa.Schema, list[str], list[list[dict[str, Any]]]]:
    """A schema with one or two keys, and batches of rows whose keys meet now and then."""
    kinds = draw(st.lists(st.sampled_from(sorted(KEYS)), min_size=1, max_size=2))
    names = [f"k{place}" for place in range(len(kinds))]
    pool = draw(st.lists(st.tuples(*(KEYS[kind][1] for kind in kinds)), min_size=1, max_size=30))
    row = st.tuples(st.sampled_from(pool), st.none() | st.integers(0, 99))
    batches = draw(st.lists(st.lists(row, min_size=1, max_size=15), min_size=1, max_size=5))
    schema = pa.schema([*((name, KEYS[kind][0]) for name, kind in zip(names, kinds, strict=True)), ("v", pa.int64())])
    return schema, names, [[{**dict(zip(names, key, strict=True)), "v": v} for key, v in batch] for batch in batches]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[TableWriter]:
    writer = TableWriter(str(tmp_path / "t"), "run", pa.schema([("id", pa.int64()), ("v", pa.string())]))
    yield writer
    writer.close()


def batch(ids: list[int], value: str) -> pa.Table:
    return pa.table({"id": pa.array(ids, pa.int64()), "v": pa.array([value] * len(ids))})


@given(histories())
@LAWS
def test_any_sequence_of_upserts_equals_a_dictionary(
    rows: Rows, history: tuple[pa.Schema, list[str], list[list[dict[str, Any]]]]
) -> None:
    schema, keys, batches = history
    model: dict[tuple[Any, ...], Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        writer = TableWriter(folder, "run", schema)
        for rows_in in batches:
            writer.upsert(pa.Table.from_pylist(rows_in, schema=schema), keys)
            model |= {tuple(row[key] for key in keys): row["v"] for row in rows_in}
        writer.close()
        found = rows(folder)
    assert len(found) == len(model)
    assert {tuple(row[key] for key in keys): row["v"] for row in found} == model


@given(histories())
@LAWS
def test_any_sequence_of_inserts_keeps_the_first_row_of_each_key(
    rows: Rows, history: tuple[pa.Schema, list[str], list[list[dict[str, Any]]]]
) -> None:
    schema, keys, batches = history
    model: dict[tuple[Any, ...], Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        writer = TableWriter(folder, "run", schema)
        for rows_in in batches:
            writer.insert(pa.Table.from_pylist(rows_in, schema=schema), keys)
            for row in rows_in:
                model.setdefault(tuple(row[key] for key in keys), row["v"])
        writer.close()
        found = rows(folder)
    assert len(found) == len(model)
    assert {tuple(row[key] for key in keys): row["v"] for row in found} == model


@given(histories())
@LAWS
def test_a_file_said_to_be_disjoint_from_a_batch_holds_none_of_its_keys(
    history: tuple[pa.Schema, list[str], list[list[dict[str, Any]]]],
) -> None:
    schema, keys, batches = history
    with tempfile.TemporaryDirectory() as folder:
        writer = TableWriter(folder, "run", schema)
        for rows_in in batches[:-1]:
            writer.append(pa.Table.from_pylist(rows_in, schema=schema), keys)
        last = KeySet(pa.Table.from_pylist(batches[-1], schema=schema), keys)
        for file in live_files(writer.table, keys):
            if disjoint(last.bounds, file.bounds):
                assert not last.held_by(read_columns(writer.filesystem, file.name, last.schema)).true_count
        writer.close()


COLUMNS = {"a": pa.int64(), "b": pa.string(), "c": pa.date32(), "d": pa.bool_()}
VALUES = {"a": 7, "b": "x", "c": date(2026, 1, 2), "d": True}


@given(st.lists(st.tuples(st.sets(st.sampled_from(sorted(COLUMNS))), st.integers(0, 5)), min_size=1, max_size=6))
@LAWS
def test_columns_may_come_and_go_between_upserts(rows: Rows, steps: list[tuple[set[str], int]]) -> None:
    model: dict[int, dict[str, Any]] = {}
    seen: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        writer = TableWriter(folder, "run", pa.schema([("id", pa.int64())]))
        for columns, key in steps:
            schema = pa.schema([("id", pa.int64()), *((name, COLUMNS[name]) for name in sorted(columns))])
            row = {"id": key} | {name: VALUES[name] for name in columns}
            writer.evolve(schema)
            writer.upsert(pa.Table.from_pylist([row], schema=schema), ["id"])
            model[key] = row
            seen |= columns
        writer.close()
        found = {row["id"]: row for row in rows(folder)}
    assert found == {key: {name: row.get(name) for name in {"id"} | seen} for key, row in model.items()}


def test_an_upsert_above_every_key_only_appends(writer: TableWriter) -> None:
    writer.upsert(batch([1, 2], "a"), ["id"])
    first = {file.name for file in live_files(writer.table, ["id"])}
    writer.upsert(batch([3, 4], "b"), ["id"])
    assert first < {file.name for file in live_files(writer.table, ["id"])}


def test_an_upsert_between_keys_that_hits_none_rewrites_no_file(writer: TableWriter) -> None:
    writer.upsert(batch([1, 9], "a"), ["id"])
    first = {file.name for file in live_files(writer.table, ["id"])}
    writer.upsert(batch([5], "b"), ["id"])
    assert first < {file.name for file in live_files(writer.table, ["id"])}


def test_rows_whose_key_was_null_stay_when_others_are_replaced(writer: TableWriter, rows: Rows) -> None:
    writer.append(pa.table({"id": pa.array([None, 1], pa.int64()), "v": ["old", "old"]}))
    writer.upsert(batch([1], "new"), ["id"])
    assert sorted(str(row) for row in rows(writer.uri)) == ["{'id': 1, 'v': 'new'}", "{'id': None, 'v': 'old'}"]


def test_replacing_every_row_of_a_file_leaves_no_empty_file(writer: TableWriter) -> None:
    writer.upsert(batch([1, 2], "a"), ["id"])
    writer.upsert(batch([1, 2], "b"), ["id"])
    assert [file.rows for file in live_files(writer.table, ["id"])] == [2]


def test_a_batch_without_rows_makes_no_version(writer: TableWriter) -> None:
    before = writer.table.version()
    writer.upsert(batch([], "a"), ["id"])
    assert writer.table.version() == before


def test_an_earlier_version_still_tells_what_was_known_then(writer: TableWriter, rows: Rows) -> None:
    writer.upsert(batch([1], "then"), ["id"])
    version = writer.table.version()
    writer.upsert(batch([1], "now"), ["id"])
    assert [row["v"] for row in rows(writer.uri, version)] == ["then"]


def test_integers_may_become_decimals_and_text_and_keep_their_values(tmp_path: Path, rows: Rows) -> None:
    writer = TableWriter(str(tmp_path), "run", pa.schema([("id", pa.int64()), ("n", pa.int64())]))
    writer.append(pa.table({"id": [1], "n": [2**60 + 1]}))
    writer.evolve(pa.schema([("n", pa.decimal128(10, 2))]))
    assert rows(str(tmp_path)) == [{"id": 1, "n": Decimal(2**60 + 1)}]
    writer.evolve(pa.schema([("id", pa.string())]))
    writer.close()
    assert rows(str(tmp_path))[0]["id"] == "1"


def test_integers_too_large_for_floats_keep_a_column_from_becoming_one(tmp_path: Path, rows: Rows) -> None:
    writer = TableWriter(str(tmp_path), "run", pa.schema([("n", pa.int64())]))
    writer.append(pa.table({"n": [2**60 + 1]}))
    with pytest.raises(ContractError, match="do not fit the type"):
        writer.evolve(pa.schema([("n", pa.float64())]))
    writer.close()
    assert rows(str(tmp_path)) == [{"n": 2**60 + 1}]
    assert [path.name for path in tmp_path.glob("*.parquet")] == [
        file.name for file in live_files(DeltaTable(tmp_path), ())
    ]


def test_types_with_nothing_in_common_are_told_in_one_sentence(writer: TableWriter) -> None:
    with pytest.raises(ContractError, match=r"column 'id' is int64 in the lake and bool now\. Next: "):
        writer.evolve(pa.schema([("id", pa.bool_())]))


SAME_ROWS = """
import sys, pyarrow as pa
from snello.lake.writer import TableWriter
uri, number = sys.argv[1], int(sys.argv[2])
writer = TableWriter(uri, f"run{number}", pa.schema([("id", pa.int64()), ("v", pa.string())]))
print("ready", flush=True)
sys.stdin.readline()
for turn in range(10):
    writer.insert(pa.table({"id": [turn], "v": ["same"]}), ["id"])
    writer.upsert(pa.table({"id": [100 + turn, 200], "v": [f"{number}"] * 2}), ["id"])
    writer.append(pa.table({"id": [1000 + number], "v": ["own"]}))
writer.close()
"""


def test_processes_that_write_the_same_keys_at_once_end_as_if_one_after_the_other(tmp_path: Path, rows: Rows) -> None:
    uri = str(tmp_path / "t")
    command = [sys.executable, "-c", SAME_ROWS, uri]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen([*command, str(n)], stdin=pipe, stdout=pipe, text=True) for n in range(3)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0, 0]
    own = [1000 + number for number in range(3) for _ in range(10)]
    assert sorted(row["id"] for row in rows(uri)) == [*range(10), *range(100, 110), 200, *own]


def test_a_full_disk_is_told_and_leaves_table_and_folder_as_they_were(
    writer: TableWriter, tmp_path: Path, rows: Rows
) -> None:
    writer.upsert(batch([1], "kept"), ["id"])
    before = sorted(path.name for path in (tmp_path / "t").glob("*.parquet"))
    big = pa.table({"id": list(range(50_000)), "v": [f"{n * 7919 % 65537:x}" * 8 for n in range(50_000)]})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(RetryLater, match="no space left"):
            writer.upsert(big, ["id"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(path.name for path in (tmp_path / "t").glob("*.parquet")) == before
    assert rows(writer.uri) == [{"id": 1, "v": "kept"}]
    assert writer.upsert(big, ["id"]) == 50_000


def test_a_table_that_another_engine_took_over_is_refused(tmp_path: Path) -> None:
    writer = TableWriter(str(tmp_path), "run", pa.schema([("id", pa.int64())]))
    writer.close()
    log = tmp_path / "_delta_log" / f"{1:020}.json"
    log.write_text(
        '{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],'
        '"writerFeatures":["deletionVectors"]}}\n'
    )
    with pytest.raises(ContractError, match="deletionVectors"):
        scan_sql(str(tmp_path))
