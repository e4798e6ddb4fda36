from __future__ import annotations

import gzip
import json
import os
import time
import tracemalloc
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from snello.kit.files import chunks, delimited
from snello.kit.files.known import KnownFiles
from snello.kit.files.layout import FileSet
from snello.kit.files.reader import LayoutReader
from snello.kit.testing import Run, run
from snello.sandbox import World, generate
from tap_files import TapFiles, main

CANARY = "canary.person@aurora.example"
COLUMNS = [{"name": "id"}, {"name": "n", "type": "integer"}]


def entry(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"stream": "rows", "path": f"{folder}/*.csv", "format": "csv", "keys": ["id"], "columns": COLUMNS} | changes


def tap(*entries: dict[str, Any], state: Any = None, catalog: Any = None, **settings: Any) -> Run:
    done = run(main, {"files": list(entries)} | settings, state=state, catalog=catalog)
    assert CANARY not in done.err
    return done


def ids(done: Run) -> list[str]:
    return [row["id"] for row in done.records("rows")]


def write(path: Path, *rows: str, header: str = "id,n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n")


# ------------------------------------------------------------------ the demo company


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return generate(tmp_path_factory.mktemp("aurora"), 300, 11)


def demo_plugins() -> list[str]:
    return ["tap-files--loyalty", "tap-files--contact-centre", "tap-files--marketing"]


def demo_config(world: World, plugin: str) -> dict[str, Any]:
    """The plugin's configuration in meltano.yml, pointed at a generated company."""
    project = yaml.safe_load(Path("meltano.yml").read_text())
    config = next(each["config"] for each in project["plugins"]["extractors"] if each["name"] == plugin)
    for layout in config["files"]:
        layout["path"] = layout["path"].replace("demo/company", str(world.company))
    return {"files": config["files"]}


@pytest.mark.parametrize("plugin", demo_plugins())
def test_every_good_row_of_the_demo_company_is_read_and_every_bad_one_refused(world: World, plugin: str) -> None:
    done = run(main, demo_config(world, plugin))
    faults = json.loads((world.company / "faults.json").read_text())
    source = plugin.partition("--")[2].replace("-", "_")
    expected = {name.partition(".")[2]: count for name, count in world.rows.items() if name.startswith(f"{source}.")}
    assert done.code == 0
    assert expected == {name: len(done.records(name)) for name in expected}
    refused = sorted((row["stream"], row["position"]) for row in done.records("_quarantine"))
    assert refused == sorted(
        (name.partition(".")[2], f"{Path(fault['file']).name}:{fault['line']}")
        for name, found in faults.items()
        if name.startswith(f"{source}.")
        for fault in found
    )


@pytest.mark.parametrize("plugin", demo_plugins())
def test_an_unchanged_demo_company_is_not_read_again(world: World, plugin: str) -> None:
    first = run(main, demo_config(world, plugin))
    second = run(main, demo_config(world, plugin), state=first.state)
    assert [message for message in second.messages if message["type"] == "RECORD"] == []
    assert second.state == first.state


@pytest.mark.parametrize("plugin", demo_plugins())
def test_batches_hold_the_rows_that_records_would(world: World, plugin: str, tmp_path: Path) -> None:
    config = demo_config(world, plugin)
    plain = run(main, config)
    batch = {"encoding": {"format": "parquet"}, "storage": {"root": str(tmp_path)}}
    batched = run(main, config | {"batch_config": batch})
    for stream in (layout["stream"] for layout in config["files"]):
        files = [
            unquote(urlsplit(url).path)
            for message in batched.messages
            if message["type"] == "BATCH" and message["stream"] == stream
            for url in message["manifest"]
        ]
        table = pa.concat_tables([pq.read_table(file) for file in files])
        assert table.schema.names[-1] == "_sdc_extracted_at"
        rows = table.drop_columns(["_sdc_extracted_at"])
        assert rows.num_rows == len(plain.records(stream))
        assert [str(value) for value in rows.column("_sdc_line").to_pylist()] == [
            str(row["_sdc_line"]) for row in plain.records(stream)
        ]
        assert batched.schema(stream) == plain.schema(stream)
    assert batched.state == plain.state


# ------------------------------------------------------------------ new and changed files


def test_only_new_and_changed_files_are_read(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1")
    write(tmp_path / "b.csv", "b1,1")
    first = tap(entry(tmp_path))
    assert ids(first) == ["a1", "b1"]
    write(tmp_path / "b.csv", "b1,2", "b2,1")
    write(tmp_path / "c.csv", "c1,1")
    second = tap(entry(tmp_path), state=first.state)
    assert [(row["id"], row["n"]) for row in second.records("rows")] == [("b1", 2), ("b2", 1), ("c1", 1)]
    assert "tap-files: rows: 3 rows; files read: 2, unchanged: 1" in second.err


def test_a_file_that_was_only_touched_or_copied_is_not_read_again(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1")
    first = tap(entry(tmp_path))
    os.utime(tmp_path / "a.csv", (1, 1))
    second = tap(entry(tmp_path), state=first.state)
    assert ids(second) == []
    assert second.state["bookmarks"]["rows"]["files"]["a.csv"]["modified"] == 1.0


def test_a_change_that_keeps_size_and_time_is_not_seen_but_one_that_keeps_the_size_is(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1")
    first = tap(entry(tmp_path))
    write(tmp_path / "a.csv", "a1,2")
    assert [row["n"] for row in tap(entry(tmp_path), state=first.state).records("rows")] == [2]


def test_files_are_read_again_when_the_layout_changes(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1")
    first = tap(entry(tmp_path))
    changed = entry(tmp_path, columns=[{"name": "id"}, {"name": "n"}])
    assert [row["n"] for row in tap(changed, state=first.state).records("rows")] == ["1"]


def test_files_that_are_gone_are_marked_in_the_state(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1")
    first = tap(entry(tmp_path))
    (tmp_path / "a.csv").unlink()
    write(tmp_path / "b.csv", "b1,1")
    second = tap(entry(tmp_path), state=first.state)
    files = second.state["bookmarks"]["rows"]["files"]
    assert {name: "gone" in seen for name, seen in files.items()} == {"a.csv": True, "b.csv": False}


def test_a_folder_that_is_empty_for_once_forgets_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1")
    first = tap(entry(tmp_path))
    (tmp_path / "a.csv").rename(tmp_path / "away")
    second = tap(entry(tmp_path), state=first.state)
    assert second.state == first.state


def test_a_file_that_may_still_be_written_waits_for_the_next_run(tmp_path: Path) -> None:
    write(tmp_path / "new.csv", "new,1")
    write(tmp_path / "old.csv", "old,1")
    os.utime(tmp_path / "old.csv", (time.time() - 1000, time.time() - 1000))
    first = tap(entry(tmp_path), settle_seconds=500)
    assert ids(first) == ["old"]
    assert "files read: 1, unsettled: 1" in first.err
    assert ids(tap(entry(tmp_path), state=first.state)) == ["new"]


def test_a_file_that_grows_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1")
    state: dict[str, Any] = {}
    layout = FileSet.model_validate(entry(tmp_path))

    def read(grow: bool) -> list[str]:
        found = []
        reader = LayoutReader("tap: rows", layout, {})
        for table in reader.tables(KnownFiles(state, layout.digest()), lambda file, rows: None, lambda: None):
            found += table.column("id").to_pylist()
            if grow:
                with (tmp_path / "a.csv").open("a") as file:
                    file.write("a2,2\n")
        return found

    assert read(grow=True) == ["a1"]
    assert state == {}
    assert read(grow=False) == ["a1", "a2"]
    assert read(grow=False) == []


def test_a_link_is_the_file_that_it_points_to(tmp_path: Path) -> None:
    write(tmp_path / "exports" / "today", "a1,1")
    os.utime(tmp_path / "exports" / "today", (1000, 1000))
    (tmp_path / "current.csv").symlink_to(tmp_path / "exports" / "today")
    (tmp_path / "folder.csv").symlink_to(tmp_path / "exports")
    first = tap(entry(tmp_path))
    assert ids(first) == ["a1"]
    assert first.state["bookmarks"]["rows"]["files"]["current.csv"]["modified"] == 1000.0
    write(tmp_path / "exports" / "today", "a1,1", "a2,1")
    assert ids(tap(entry(tmp_path), state=first.state)) == ["a1", "a2"]


def test_a_link_to_nowhere_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "gone.csv").symlink_to(tmp_path / "unmounted")
    done = tap(entry(tmp_path))
    assert done.code == 3
    assert "tap-files: rows: gone.csv: the file cannot be read (FileNotFoundError)" in done.last_line


def test_newer_files_come_last_so_that_their_rows_win(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "same,2")
    write(tmp_path / "b.csv", "same,1")
    os.utime(tmp_path / "b.csv", (1, 1))
    assert [row["n"] for row in tap(entry(tmp_path)).records("rows")] == [1, 2]


# ------------------------------------------------------------------ what goes wrong


def test_a_broken_file_does_not_stop_the_others_and_the_run_ends_with_3(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1")
    (tmp_path / "b.csv").write_bytes(gzip.compress(b"id,n\n" + os.urandom(5000))[:-2000])
    write(tmp_path / "c.csv", "c1,1")
    done = tap(entry(tmp_path), entry(tmp_path, stream="other"))
    assert done.code == 3
    assert ids(done) == ["a1", "c1"]
    assert len(done.records("other")) == 2
    assert sorted(done.state["bookmarks"]["rows"]["files"]) == ["a.csv", "c.csv"]
    assert (
        "2 files or places could not be read, the first: tap-files: other: b.csv: the data are damaged"
        in done.last_line
    )


def test_the_fault_of_a_single_broken_file_is_the_last_line(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1", header="id,m")
    done = tap(entry(tmp_path))
    assert (done.code, done.last_line) == (
        3,
        "tap-files: rows: a.csv: the header has no column 'n'. "
        "Next: mend the file, or columns, delimiter and encoding in the settings.",
    )


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that exists and cannot be read, on Linux")
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("/proc/self/mem")
    done = tap(entry(tmp_path))
    assert (done.code, done.last_line) == (
        3,
        "tap-files: rows: a.csv: the file cannot be read (OSError). Next: check that it exists and may be read.",
    )


def test_refused_rows_are_data_and_never_in_a_log(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1", f"{CANARY},many", f"x,{CANARY},1", "a2,2")
    done = tap(entry(tmp_path))
    assert done.code == 0
    assert ids(done) == ["a1", "a2"]
    assert [(row["stream"], row["position"], row["reason"], row["record"]) for row in done.records("_quarantine")] == [
        ("rows", "a.csv:4", "3 fields, 2 expected", f"x,{CANARY},1"),
        ("rows", "a.csv:3", "n: not an integer", f'{{"id":"{CANARY}","n":"many"}}'),
    ]
    assert "WARNING" in done.err
    assert "tap-files: rows: 2 rows refused, see stream _quarantine" in done.err


def test_a_row_refused_twice_has_one_identity(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x,many")
    first, second = (tap(entry(tmp_path)).records("_quarantine") for _ in range(2))
    assert first[0]["id"] == second[0]["id"]


def test_refused_rows_can_fail_the_run(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1", "x,many")
    done = tap(entry(tmp_path), fail_on_refused=True)
    assert (done.code, done.last_line) == (5, "tap-files: 1 rows were refused. Next: read the stream _quarantine.")
    assert ids(done) == ["a1"]


def test_a_row_without_its_key_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ",1", "a2,2")
    done = tap(entry(tmp_path))
    assert ids(done) == ["a2"]
    assert done.records("_quarantine")[0]["reason"] == "id: the key is empty"


def test_a_folder_without_files_is_told_and_no_fault_unless_required(tmp_path: Path) -> None:
    done = tap(entry(tmp_path))
    assert done.code == 0
    assert f"tap-files: rows: no file matches {tmp_path}/*.csv" in done.err
    write(tmp_path / "there.txt", "a1,1")
    both = tap(entry(tmp_path, required=True), entry(tmp_path, stream="other", path=f"{tmp_path}/*.txt"))
    assert (both.code, len(both.records("other"))) == (3, 1)
    assert both.last_line.endswith("Next: check path, or set required to false.")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"id,n\n"])
def test_an_empty_file_has_no_rows_and_is_known_afterwards(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    done = tap(entry(tmp_path))
    assert (done.code, ids(done)) == (0, [])
    assert list(done.state["bookmarks"]["rows"]["files"]) == ["a.csv"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_wins_over_the_declared_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_text("id,n\nperché,1\n", encoding=encoding)
    assert ids(tap(entry(tmp_path, encoding="latin-1"))) == ["perché"]


def test_a_declared_encoding_is_used(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,n\nperché €,1\n", encoding="iso-8859-15")
    assert ids(tap(entry(tmp_path, encoding="iso-8859-15"))) == ["perché €"]
    wrong = tap(entry(tmp_path, encoding="utf-8"))
    assert wrong.records("_quarantine")[0]["reason"] == "byte 0xE9 is not valid in the declared encoding"


def test_wrong_settings_end_before_anything_is_read(tmp_path: Path) -> None:
    done = tap(entry(tmp_path, timezone="Europe/Roma"))
    assert done.code == 2
    assert done.last_line.startswith(
        "tap-files: setting files[0].timezone: 'Europe/Roma' is not a time zone. Next: did you"
    )
    assert done.messages == []


# ------------------------------------------------------------------ kinds of files


def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1", "a2,")
    (tmp_path / "a.tsv").write_text("id\tn\na1\t1\na2\t\n")
    (tmp_path / "a.txt").write_text("a1  1\na2   \n")
    (tmp_path / "a.jsonl").write_text('{"id": "a1", "n": 1}\n{"id": "a2", "n": null}\n')
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.csv", "a.csv")
    book = openpyxl.Workbook()
    for row in (["id", "n"], ["a1", 1], ["a2", None]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    pq.write_table(pa.table({"id": ["a1", "a2"], "n": [1, None]}), tmp_path / "a.parquet")
    fixed = [{"name": "id", "width": 2}, {"name": "n", "width": 3, "type": "integer"}]
    kinds = {
        "a.csv": {},
        "a.tsv": {"format": "tsv"},
        "a.txt": {"format": "fixed", "columns": fixed},
        "a.jsonl": {"format": "jsonl"},
        "a.csv.gz": {},
        "a.zip": {},
        "a.xlsx": {"format": "excel"},
        "a.parquet": {"format": "parquet"},
    }
    for name, changes in kinds.items():
        done = tap(entry(tmp_path, path=str(tmp_path / name), **changes))
        assert [(row["id"], row["n"]) for row in done.records("rows")] == [("a1", 1), ("a2", None)], name
        assert done.code == 0


def test_undeclared_columns_are_those_of_the_first_file_as_text(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1")
    done = tap({"stream": "rows", "path": f"{tmp_path}/*.csv", "format": "csv"})
    assert done.records("rows") == [{"id": "a1", "n": "1", "_sdc_file": "a.csv", "_sdc_line": 2, "_extra": None}]
    assert done.schema("rows")["key_properties"] == ["_sdc_file", "_sdc_line"]


def test_nested_json_stays_json_on_every_path(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "a1", "tags": {"x": [1, "é"]}}\n{"id": "a2"}\n')
    layout = entry(
        tmp_path, path=f"{tmp_path}/*.jsonl", format="jsonl", columns=[{"name": "id"}, {"name": "tags", "type": "json"}]
    )
    fast = tap(layout).records("rows")
    assert [row["tags"] for row in fast] == [{"x": [1, "é"]}, None]
    assert tap(layout, stream_maps={"rows": {"__filter__": "True"}}).records("rows") == fast


# ------------------------------------------------------------------ the Singer side


def test_the_schema_tells_types_and_sizes(tmp_path: Path) -> None:
    columns = [
        {"name": "id"},
        {"name": "amount", "type": "decimal", "precision": 12, "scale": 2},
        {"name": "on", "type": "date"},
    ]
    properties = tap(entry(tmp_path, columns=columns)).schema("rows")["schema"]["properties"]
    assert properties["id"] == {"type": "string"}
    assert properties["amount"] == {"type": ["string", "null"], "format": "singer.decimal", "precision": 12, "scale": 2}
    assert properties["on"] == {"type": ["string", "null"], "format": "date"}


def test_a_deselected_column_is_neither_declared_nor_sent(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1")
    catalog = json.loads(run(main, {"files": [entry(tmp_path)]}, "--discover").out)
    for stream in catalog["streams"]:
        for each in stream["metadata"]:
            if each["breadcrumb"] == ["properties", "n"]:
                each["metadata"]["selected"] = False
    done = tap(entry(tmp_path), catalog=catalog)
    assert done.records("rows") == [{"id": "a1", "_sdc_file": "a.csv", "_sdc_line": 2, "_extra": None}]
    assert "n" not in done.schema("rows")["schema"]["properties"]


def test_stream_maps_work_on_rows(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1", "a2,2")
    done = tap(entry(tmp_path), stream_maps={"rows": {"twice": "n * 2", "n": "__NULL__"}})
    assert [(row["id"], row["twice"], "n" in row) for row in done.records("rows")] == [
        ("a1", 2, False),
        ("a2", 4, False),
    ]
    assert list(done.state["bookmarks"]["rows"]["files"]) == ["a.csv"]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.tuples(st.text("abé\"', \n", min_size=1, max_size=5), st.integers()), max_size=8))
def test_lines_written_in_bulk_equal_those_of_the_sdk(tmp_path: Path, rows: list[tuple[str, int]]) -> None:
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"id": f"{n}{text}", "n": n}) + "\n" for text, n in rows))
    layout = entry(tmp_path, path=f"{tmp_path}/*.jsonl", format="jsonl")
    fast, slow = tap(layout), tap(layout, stream_maps={"rows": {"__filter__": "True"}})
    assert fast.records("rows") == slow.records("rows")
    assert fast.state == slow.state


def test_state_never_speaks_of_rows_that_are_not_yet_written(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path / f"{number}.csv", *(f"{number}-{row},1" for row in range(3)))
    batch = {"encoding": {"format": "parquet"}, "storage": {"root": str(tmp_path / "batches")}}
    for done in (tap(entry(tmp_path)), tap(entry(tmp_path), batch_config=batch)):
        files = 0
        for message in done.messages:
            if message["type"] == "BATCH" or (message["type"] == "RECORD" and message["record"]["_sdc_line"] == 4):
                files += 1
            if message["type"] == "STATE":
                assert len(message["value"]["bookmarks"].get("rows", {}).get("files", {})) <= files
        assert files == 5


@pytest.mark.parametrize("changes", [{"keys": []}, {"journal": True}])
def test_memory_does_not_grow_with_the_file(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (chunks, delimited):
        monkeypatch.setattr(module, "CHUNK_ROWS", 500)
    layout = FileSet.model_validate(entry(tmp_path, **changes))

    def peak(rows: int) -> int:
        write(tmp_path / "a.csv", *(f"id-{number},{number}" for number in range(rows)))
        reader = LayoutReader("tap: rows", layout, {})
        tracemalloc.start()
        arrow = 0
        for table in reader.tables(KnownFiles({}, ""), lambda file, refused: None, lambda: None):
            arrow = max(arrow, pa.total_allocated_bytes())
            del table
        python = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert reader.counts["rows"] == rows
        return python + arrow

    peak(1000)
    assert peak(40_000) < 1.5 * peak(2000)


def test_the_sizes_of_chunks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.csv", *(f'"id\n{number}",{number if number % 7 else "x"}' for number in range(50)))
    whole = tap(entry(tmp_path))
    monkeypatch.setattr(delimited, "CHUNK_ROWS", 3)
    parts = tap(entry(tmp_path))
    assert parts.records("rows") == whole.records("rows")
    assert Counter(row["id"] for row in parts.records("_quarantine")) == Counter(
        row["id"] for row in whole.records("_quarantine")
    )


TestStandard = get_tap_test_class(
    TapFiles,
    config={"files": [entry(Path(__file__).parent / "data")]},
    suite_config=SuiteConfig(ignore_no_records_for_streams=["_quarantine"]),
)
