"""A file that changes its shape: what the layout does not declare is kept, what breaks it is refused; both are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snello.kit.testing import Run, run
from tap_files import main

COLUMNS = [{"name": "id"}, {"name": "n", "type": "integer"}]
CANARY = "canary.person@aurora.example"


def entry(file: Path, kind: str, **changes: Any) -> dict[str, Any]:
    given = {"stream": "rows", "path": str(file), "format": kind, "keys": ["id"], "columns": COLUMNS}
    return given | ({"record": "rows/row"} if kind == "xml" else {}) | changes


def tap(*entries: dict[str, Any], **settings: Any) -> Run:
    done = run(main, {"files": list(entries)} | settings)
    assert CANARY not in done.err
    return done


def widened(file: Path, kind: str) -> None:
    """A file of two rows with a column more than declared; only the second row fills it."""
    match kind:
        case "csv":
            file.write_text("id,colour,n\na1,,1\na2,red,2\n")
        case "tsv":
            file.write_text("id\tn\tcolour\na1\t1\t\na2\t2\tred\n")
        case "jsonl":
            file.write_text('{"id": "a1", "n": 1}\n{"id": "a2", "n": 2, "colour": "red"}\n')
        case "excel":
            book = openpyxl.Workbook()
            for row in (["id", "n", "colour"], ["a1", 1], ["a2", 2, "red"]):
                book.active.append(row)
            book.save(file)
        case "parquet":
            pq.write_table(pa.table({"id": ["a1", "a2"], "colour": [None, "red"], "n": [1, 2]}), file)
        case "xml":
            file.write_text(
                "<rows><row><id>a1</id><n>1</n></row><row><id>a2</id><n>2</n><colour>red</colour></row></rows>"
            )


KINDS = ["csv", "tsv", "jsonl", "excel", "parquet", "xml"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_column_is_kept_as_json_and_told(tmp_path: Path, kind: str) -> None:
    widened(tmp_path / "file", kind)
    done = tap(entry(tmp_path / "file", kind))
    assert done.code == 0
    assert [(row["id"], row["n"], row["_extra"]) for row in done.records("rows")] == [
        ("a1", 1, None),
        ("a2", 2, {"colour": "red"}),
    ]
    assert done.schema("rows")["schema"]["properties"]["_extra"]["type"] == ["object", "null"]
    assert (
        "tap-files: rows: fields that the layout does not declare go to column _extra: 'colour'. "
        "Next: add them to columns or ignore" in done.err
    )


@pytest.mark.parametrize("kind", KINDS)
def test_batches_hold_a_new_column_too(tmp_path: Path, kind: str) -> None:
    widened(tmp_path / "file", kind)
    storage = {"root": str(tmp_path / "batches")}
    done = tap(entry(tmp_path / "file", kind), batch_config={"encoding": {"format": "parquet"}, "storage": storage})
    [file] = [url for each in done.messages if each["type"] == "BATCH" for url in each["manifest"]]
    extra = pq.read_table(unquote(urlsplit(file).path)).column("_extra").to_pylist()
    assert [each and json.loads(each) for each in extra] == [None, {"colour": "red"}]


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_that_is_left_out_on_purpose_does_not_arrive(tmp_path: Path, kind: str) -> None:
    widened(tmp_path / "file", kind)
    done = tap(entry(tmp_path / "file", kind, ignore=["col*"]))
    assert [row["_extra"] for row in done.records("rows")] == [None, None]
    assert "does not declare" not in done.err


def test_what_is_left_of_nested_json_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(
        '{"id": "a1", "at": {"city": "Roma", "geo": {"x": 1, "y": 2}}, "tags": ["t"], "no": null}\n'
    )
    columns = [{"name": "id"}, {"name": "city", "source": "at.city"}, {"name": "x", "source": "at.geo.x"}]
    [row] = tap(entry(tmp_path / "a", "jsonl", columns=columns)).records("rows")
    assert (row["city"], row["x"]) == ("Roma", "1")
    assert row["_extra"] == {"at": {"geo": {"y": 2}}, "tags": ["t"]}


def test_a_field_named_like_somebodys_data_is_kept_and_only_counted(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(json.dumps({"id": "a1", "n": 1, CANARY: "x", "+39 333 1234567": "y"}) + "\n")
    done = tap(entry(tmp_path / "a", "jsonl"))
    assert done.records("rows")[0]["_extra"] == {CANARY: "x", "+39 333 1234567": "y"}
    assert "go to column _extra: 2. Next:" in done.err


def test_columns_without_a_usable_name_are_kept_by_number(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("id,,note,note,n\na1,x,y,z,1\n")
    [row] = tap(entry(tmp_path / "a", "csv")).records("rows")
    assert row["_extra"] == {"column 2": "x", "column 3": "y", "column 4": "z"}


def test_cells_beyond_the_columns_of_a_sheet_without_a_header_are_kept(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a1", 1, "more"])
    book.save(tmp_path / "a")
    [row] = tap(entry(tmp_path / "a", "excel", header=False)).records("rows")
    assert row["_extra"] == {"column 3": "more"}


def test_a_row_that_is_refused_takes_its_new_column_to_the_quarantine(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("id,n,colour\na1,many,red\n")
    [row] = tap(entry(tmp_path / "a", "csv")).records("_quarantine")
    assert json.loads(row["record"]) == {"id": "a1", "n": "many", "colour": "red"}


@pytest.mark.parametrize("kind", ["csv", "tsv", "excel", "parquet"])
def test_a_column_that_is_missing_or_renamed_is_told_with_the_nearest_name(tmp_path: Path, kind: str) -> None:
    widened(tmp_path / "file", kind)
    columns = [*COLUMNS, {"name": "color"}]
    done = tap(entry(tmp_path / "file", kind, columns=columns))
    assert done.code == 3
    assert "file: the header has no column 'color'. Next: did you mean 'colour'?" in done.last_line


@pytest.mark.parametrize("kind", ["jsonl", "xml"])
def test_a_field_that_is_missing_is_null_and_a_key_that_is_missing_is_refused(tmp_path: Path, kind: str) -> None:
    widened(tmp_path / "file", kind)
    done = tap(entry(tmp_path / "file", kind, columns=[*COLUMNS, {"name": "colour"}], keys=["colour"]))
    assert [row["id"] for row in done.records("rows")] == ["a2"]
    assert [row["reason"] for row in done.records("_quarantine")] == ["colour: the key is empty"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_that_breaks_is_refused_row_by_row(tmp_path: Path, kind: str) -> None:
    widened(tmp_path / "file", kind)
    columns = [{"name": "id"}, {"name": "n"}, {"name": "colour", "type": "integer"}]
    done = tap(entry(tmp_path / "file", kind, columns=columns))
    assert (done.code, [row["id"] for row in done.records("rows")]) == (0, ["a1"])
    assert [row["reason"] for row in done.records("_quarantine")] == ["colour: not an integer"]
