"""What a file says twice: told when the two differ, passed over when they do not."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snello.kit.files import delimited
from snello.kit.testing import Run, run
from tap_files import main

CARLA, DARIO = ("h1", "Carla", "yes"), ("h1", "Dario", "no")
COLUMNS = [{"name": "id"}, {"name": "name"}, {"name": "news"}]
ROWS = [CARLA, ("h2", "Ezio", "no"), DARIO, CARLA]
WAYS = ("RECORD", "BATCH")


def entry(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"stream": "rows", "path": f"{folder}/in/*", "format": "csv", "keys": ["id"], "columns": COLUMNS} | changes


def tap(folder: Path, way: str = "RECORD", state: Any = None, **changes: Any) -> Run:
    storage = {"root": str(folder / "batches")}
    batch = {"batch_config": {"encoding": {"format": "parquet"}, "storage": storage}} if way == "BATCH" else {}
    done = run(main, {"files": [entry(folder, **changes)]} | batch, state=state)
    assert "Dario" not in done.err
    return done


def rows(done: Run) -> list[tuple[str, str, str]]:
    """Every row that left, as a record or in a batch."""
    files = [url for each in done.messages if each["type"] == "BATCH" for url in each["manifest"]]
    batched = [row for url in files for row in pq.read_table(unquote(urlsplit(url).path)).to_pylist()]
    return [(row["id"], row["name"], row["news"]) for row in (*done.records("rows"), *batched)]


def refused(done: Run) -> list[tuple[str, str]]:
    return [(row["position"], row["reason"]) for row in done.records("_quarantine")]


def write(file: Path, lines: list[tuple[str, ...]], header: bool = True) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(",".join(line) + "\n" for line in ([("id", "name", "news")] if header else []) + lines))


@pytest.mark.parametrize("way", WAYS)
def test_the_second_person_under_a_key_is_set_apart_and_a_row_told_word_for_word_again_is_not(
    way: str, tmp_path: Path
) -> None:
    write(tmp_path / "in" / "h.csv", ROWS)
    done = tap(tmp_path, way)
    assert done.code == 0
    assert rows(done) == [CARLA, ("h2", "Ezio", "no"), CARLA]
    assert refused(done) == [("h.csv:4", "its key is that of line 2")]
    [record] = [row["record"] for row in done.records("_quarantine")]
    assert json.loads(record) == {"id": "h1", "name": "Dario", "news": "no"}
    assert "tap-files: rows: 1 rows refused, see stream _quarantine" in done.err
    assert (
        "tap-files: rows: 1 of them have the key of an earlier row of their file, and other content. "
        "Next: mend the file, or name all keys, or set journal" in done.err
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["fixed", "jsonl", "excel", "parquet", "xml", "zip"])
def test_it_is_told_in_every_kind_of_file(kind: str, way: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    names = [column["name"] for column in COLUMNS]
    changes: dict[str, Any] = {"format": "csv" if kind == "zip" else kind}
    match kind:
        case "fixed":
            (folder / "f").write_text("".join(f"{a:<3}{b:<6}{c:<3}\n" for a, b, c in ROWS))
            widths = zip(names, (3, 6, 3), strict=True)
            changes["columns"] = [{"name": name, "width": width} for name, width in widths]
        case "jsonl":
            (folder / "f").write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in ROWS))
        case "excel":
            book = openpyxl.Workbook()
            for row in (names, *ROWS):
                book.active.append(row)
            book.save(folder / "f")
        case "parquet":
            pq.write_table(pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in ROWS]), folder / "f")
        case "xml":
            elements = ("".join(f"<{n}>{v}</{n}>" for n, v in zip(names, row, strict=True)) for row in ROWS)
            (folder / "f").write_text("<r>\n" + "\n".join(f"<row>{element}</row>" for element in elements) + "\n</r>")
            changes["record"] = "r/row"
        case "zip":
            write(tmp_path / "a.csv", ROWS)
            with zipfile.ZipFile(folder / "f", "w") as archive:
                archive.write(tmp_path / "a.csv", "a.csv")
    done = tap(tmp_path, way, **changes)
    first = 1 if kind in ("fixed", "jsonl", "parquet") else 2
    file = "f/a.csv" if kind == "zip" else "f"
    assert refused(done) == [(f"{file}:{first + 2}", f"its key is that of line {first}")]
    assert rows(done) == [CARLA, ("h2", "Ezio", "no"), CARLA]


def test_it_is_told_however_far_apart_the_two_rows_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "CHUNK_ROWS", 3)
    others = [(f"x{number}", "Ezio", "no") for number in range(20)]
    write(tmp_path / "in" / "h.csv", [CARLA, *others, DARIO, *others, DARIO])
    assert refused(tap(tmp_path)) == [(f"h.csv:{line}", "its key is that of line 2") for line in (23, 44)]


def test_another_file_may_say_otherwise_the_newer_one_wins(tmp_path: Path) -> None:
    write(tmp_path / "in" / "monday.csv", [CARLA])
    write(tmp_path / "in" / "tuesday.csv", [DARIO])
    with zipfile.ZipFile(tmp_path / "in" / "week.zip", "w") as archive:
        archive.write(tmp_path / "in" / "monday.csv", "1.csv")
        archive.write(tmp_path / "in" / "tuesday.csv", "2.csv")
    done = tap(tmp_path)
    assert (sorted(rows(done)), refused(done)) == ([CARLA, CARLA, DARIO, DARIO], [])


def test_in_a_journal_the_last_row_of_a_key_counts_and_none_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "in" / "h.csv", ROWS)
    done = tap(tmp_path, journal=True)
    assert (rows(done), refused(done)) == (ROWS, [])


@pytest.mark.parametrize("keys", [[], ["_sdc_file", "_sdc_line"], ["id", "_sdc_line"], ["id", "name"]])
def test_rows_that_their_keys_tell_apart_are_never_refused(keys: list[str], tmp_path: Path) -> None:
    write(tmp_path / "in" / "h.csv", ROWS)
    done = tap(tmp_path, keys=keys)
    assert (rows(done), refused(done)) == (ROWS, [])


def test_a_row_that_was_refused_itself_takes_no_key(tmp_path: Path) -> None:
    columns = [{"name": "id"}, {"name": "name"}, {"name": "news", "type": "boolean"}]
    write(tmp_path / "in" / "h.csv", [("h1", "Carla", "perhaps"), DARIO, ("h1", "Ezio", "no")])
    done = tap(tmp_path, columns=columns)
    assert [row[1] for row in rows(done)] == ["Dario"]
    assert refused(done) == [("h.csv:2", "news: not a boolean"), ("h.csv:4", "its key is that of line 3")]


def test_two_ways_to_write_one_value_are_one_content_and_an_undeclared_field_is_content(tmp_path: Path) -> None:
    columns = [{"name": "id"}, {"name": "n", "type": "decimal", "scale": 2}]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("id,n,colour\na,1.5,red\na,1.50,red\na,1.5,blue\n")
    assert refused(tap(tmp_path, columns=columns)) == [("a.csv:4", "its key is that of line 2")]
    assert refused(tap(tmp_path, columns=columns, ignore=["*"])) == []


def test_a_full_file_tells_it_once_and_the_row_is_still_there(tmp_path: Path) -> None:
    write(tmp_path / "in" / "h.csv", ROWS)
    first = run(main, {"files": [entry(tmp_path, whole=True)], "memory": str(tmp_path / "memory")})
    assert refused(first) == [("h.csv:4", "its key is that of line 2")]
    assert [row["_deleted_at"] for row in first.records("rows")] == [None] * 3


def test_a_file_read_again_gives_the_same_refusal_and_one_that_is_known_none(tmp_path: Path) -> None:
    write(tmp_path / "in" / "h.csv", ROWS)
    first, again = tap(tmp_path), tap(tmp_path)
    assert [row["id"] for row in first.records("_quarantine")] == [row["id"] for row in again.records("_quarantine")]
    assert refused(tap(tmp_path, state=first.state)) == []


def test_it_can_fail_the_run_like_any_other_refused_row(tmp_path: Path) -> None:
    write(tmp_path / "in" / "h.csv", ROWS)
    done = run(main, {"files": [entry(tmp_path)], "fail_on_refused": True})
    assert (done.code, done.last_line) == (5, "tap-files: 1 rows were refused. Next: read the stream _quarantine.")


def test_a_key_that_no_column_of_the_file_has_is_a_fault_of_that_file(tmp_path: Path) -> None:
    write(tmp_path / "in" / "h.csv", ROWS)
    done = tap(tmp_path, keys=["card"], columns=[])
    assert (done.code, done.last_line) == (
        3,
        "tap-files: rows: h.csv: the header has no column 'card', which keys names. "
        "Next: mend the file, or keys in the settings.",
    )
