"""What drops need beside rows: columns that no row holds, checksums, and an order that is not that of the clock."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import fsspec
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from snello.errors import ContractError
from snello.kit.files.checksums import check, is_companion
from snello.kit.files.drift import Drift
from snello.kit.files.drops import in_order, is_delta
from snello.kit.files.layout import FileSet
from snello.kit.files.parts import is_compressed
from snello.kit.files.places import Copy, Found
from snello.kit.files.reading import Source, read_part

COLUMNS = [
    {"name": "id"},
    {"name": "note", "optional": True},
    {"name": "provider", "constant": "acme"},
    {"name": "day", "type": "date", "in_name": r"_(\d{8})\.", "date_format": "%Y%m%d"},
    {"name": "n", "type": "integer"},
]


def layout(**changes: Any) -> FileSet:
    return FileSet.model_validate({"stream": "rows", "path": "x", "format": "csv", "columns": COLUMNS, **changes})


def rows(content: bytes, of: FileSet, name: str = "drop_20260102.csv") -> list[dict[str, Any]]:
    source = Source(io.BytesIO(content), name, "tap: rows")
    parts = read_part(source, of, of.resolved(), Drift())
    return [row for part in parts for row in part.table.select(["id", "note", "provider", "day", "n"]).to_pylist()]


def workbook() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in (["n", "id"], [1, "a"]):
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"n": [1], "id": ["a"]}), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "content"),
    [("csv", b"n,id\n1,a\n"), ("jsonl", b'{"n": 1, "id": "a"}\n'), ("excel", workbook()), ("parquet", parquet())],
    ids=["csv", "jsonl", "excel", "parquet"],
)
def test_columns_that_no_row_holds_come_from_the_layout_and_the_files_name(kind: str, content: bytes) -> None:
    [row] = rows(content, layout(format=kind))
    assert (row["id"], row["note"], row["provider"], str(row["day"]), row["n"]) == ("a", None, "acme", "2026-01-02", 1)
    assert rows(content, layout(format=kind), "other.csv")[0]["day"] is None


def test_an_optional_column_that_is_there_is_read_and_a_bad_byte_beside_it_is_refused() -> None:
    assert [row["note"] for row in rows(b"n,id,note\n1,a,x\n1,b,\n", layout())] == ["x", None]
    assert [row["id"] for row in rows(b"n,id\n1,a\n1,\xff\n", layout())] == ["a"]


def test_a_column_without_which_nothing_goes_is_missed() -> None:
    with pytest.raises(ContractError, match="the header has no column 'n'"):
        rows(b"id\na\n", layout())


def test_what_a_layout_said_before_is_the_same_layout_still() -> None:
    columns = [{"name": "id", "source": "é"}, {"name": "n", "type": "decimal", "scale": 2}]
    before = {"stream": "a", "path": "x", "format": "csv", "keys": ["id"], "columns": columns, "whole": True}
    assert FileSet.model_validate(before).digest() == "4106086ec285facc"
    assert FileSet.model_validate({**before, "checksum": "beside"}).digest() != "4106086ec285facc"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"order": "("}, "it is no regular expression"),
        ({"order": "a|b", "whole": True}, "it has no group, or several"),
        ({"deltas": "*"}, "deltas and order are for full files"),
        ({"columns": [{"name": "id", "in_name": "(a)(b)"}]}, "it has no group, or several"),
    ],
)
def test_a_layout_that_cannot_be_followed_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        layout(**changes)


def found(name: str, modified: float = 0.0) -> Found:
    return Found(name, name, 0, modified, "", fsspec.filesystem("file"))


def test_files_count_in_the_order_of_their_names_or_of_their_time() -> None:
    files = [found("full_20260102.csv", 1), found("delta_2026-01-01.csv", 3), found("delta_20260103.csv", 2)]
    whole = {"whole": True, "keys": ["id"], "deltas": "delta_*"}
    by_name = layout(**whole, order=r"(\d{4}-?\d{2}-?\d{2})")
    assert [file.name for file in in_order(files, by_name)] == [files[1].name, files[0].name, files[2].name]
    assert [file.name for file in in_order(files, layout(**whole))] == [files[0].name, files[2].name, files[1].name]
    assert [is_delta(file.name, by_name) for file in files] == [False, True, True]


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("form", ["{digest}", "{digest}  {name}\n", "{upper} *{name}", "MD5 ({name}) = {digest}"])
def test_a_checksum_is_read_in_any_of_its_forms(tmp_path: Path, kind: str, form: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"id\n1\n")
    digest = hashlib.new(kind, b"id\n1\n").hexdigest()
    text = form.format(digest=digest, upper=digest.upper(), name=file.name)
    (tmp_path / f"a.csv.{kind}").write_text(text)
    (tmp_path / "manifest.txt").write_text(text)
    here = Found("a.csv", str(file), 5, 0.0, "", fsspec.filesystem("file"))
    check(here, Copy(str(file), "1"), layout(checksum="beside"), "tap: a.csv")
    if "{name}" in form:
        check(here, Copy(str(file), "1"), layout(checksum="manifest"), "tap: a.csv")
    file.write_bytes(b"id\n2\n")
    with pytest.raises(ContractError, match="its checksum is that of another content"):
        check(here, Copy(str(file), "1"), layout(checksum="beside"), "tap: a.csv")


def test_files_that_speak_of_other_files_hold_no_rows() -> None:
    assert is_companion("in/a.csv.MD5", layout(checksum="beside"))
    assert not is_companion("in/a.csv.md5", layout())
    assert is_companion("in/Manifest_1.json", layout(checksum="manifest"))
    assert not is_companion("in/a.csv", layout(checksum="manifest"))


def test_compression_is_told_by_the_layout_or_the_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x1f\x8b rest")
    assert is_compressed(str(tmp_path / "a"), layout())
    assert not is_compressed(str(tmp_path / "a"), layout(compression="none"))
