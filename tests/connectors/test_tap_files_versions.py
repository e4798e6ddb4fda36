"""Which files are read: each content once, late ones too, none that is still written."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from snello.kit.files.places import Found
from snello.kit.testing import Run, run
from tap_files import main

COLUMNS = [{"name": "id"}, {"name": "n", "type": "integer"}]


def entry(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "stream": "rows",
        "path": f"{folder}/**/*.csv",
        "format": "csv",
        "keys": ["id"],
        "columns": COLUMNS,
    } | changes


def tap(folder: Path, state: Any = None, *, path: str = "**/*.csv", **settings: Any) -> Run:
    return run(main, {"files": [entry(folder, path=f"{folder}/{path}")]} | settings, state=state)


def write(file: Path, *rows: str, modified: float = 1_700_000_000) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["id,n", *rows]) + "\n")
    os.utime(file, (modified, modified))


def ids(done: Run) -> list[str]:
    return [row["id"] for row in done.records("rows")]


def test_a_file_that_arrives_late_is_read_however_old_it_says_it_is(tmp_path: Path) -> None:
    write(tmp_path / "2026" / "03.csv", "march,1")
    first = tap(tmp_path)
    write(tmp_path / "2026" / "02.csv", "february,1", modified=1_000_000_000)
    write(tmp_path / "2019" / "12.csv", "december,1", modified=900_000_000)
    second = tap(tmp_path, first.state)
    assert (ids(first), ids(second)) == (["march"], ["december", "february"])
    assert ids(tap(tmp_path, second.state)) == []


def test_a_file_touched_copied_over_itself_or_moved_away_and_back_is_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    write(file, "a1,1")
    first = tap(tmp_path)
    os.utime(file, (1_800_000_000, 1_800_000_000))
    touched = tap(tmp_path, first.state)
    shutil.copy(file, tmp_path / "copy")
    (tmp_path / "copy").replace(file)
    copied = tap(tmp_path, touched.state)
    file.rename(tmp_path / "away")
    write(tmp_path / "b.csv", "b1,1")
    away = tap(tmp_path, copied.state)
    (tmp_path / "away").rename(file)
    back = tap(tmp_path, away.state)
    assert [ids(done) for done in (first, touched, copied, away, back)] == [["a1"], [], [], ["b1"], []]
    write(file, "a1,2")
    assert [row["n"] for row in tap(tmp_path, back.state).records("rows")] == [2]


def test_a_content_that_comes_back_after_another_one_is_read_again(tmp_path: Path) -> None:
    state: Any = None
    for number in (1, 2, 1):
        write(tmp_path / "a.csv", f"a1,{number}", modified=1_700_000_000 + time.monotonic())
        done = tap(tmp_path, state)
        assert [row["n"] for row in done.records("rows")] == [number]
        state = done.state


@pytest.mark.parametrize("name", ["a.csv.part", "a.tmp", "a.csv.filepart", ".a.csv", "A.CSV.TMP"])
def test_a_file_under_way_by_its_name_is_left_until_it_has_its_own(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, "a1,1")
    first = tap(tmp_path, path="*")
    hidden = tap(tmp_path, path=".*") if name.startswith(".") else first
    assert ids(first) == []
    assert "1 files may still be written and are left for the next run" in first.err or name.startswith(".")
    assert first.state.get("bookmarks", {}).get("rows", {}) == {}
    assert ids(hidden) == (["a1"] if name.startswith(".") else [])
    (tmp_path / name).rename(tmp_path / "a.csv")
    assert ids(tap(tmp_path, first.state, path="*")) == ["a1"]


def test_a_pattern_that_asks_for_such_names_gets_them(tmp_path: Path) -> None:
    write(tmp_path / "a.tmp", "a1,1")
    assert ids(tap(tmp_path, path="*.tmp")) == ["a1"]


def test_a_file_that_changed_a_moment_ago_waits_and_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a1,1", modified=time.time())
    done = tap(tmp_path, settle_seconds=3600)
    assert (done.code, ids(done)) == (0, [])
    assert "tap-files: rows: 1 files may still be written and are left for the next run" in done.err
    assert done.state.get("bookmarks", {}).get("rows", {}) == {}


def test_a_file_that_grows_while_it_is_looked_at_sends_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.csv"
    write(file, "a1,1")
    looked = Found.again

    def growing(found: Found, where: str) -> Found | None:
        write(file, "a1,1", "a2,2", modified=1_700_000_001)
        return looked(found, where)

    with monkeypatch.context() as patch:
        patch.setattr(Found, "again", growing)
        first = tap(tmp_path)
    assert (first.code, ids(first)) == (0, [])
    assert "tap-files: rows: a.csv was still being written; it is left for the next run" in first.err
    assert first.state.get("bookmarks", {}).get("rows", {}) == {}
    assert ids(tap(tmp_path, first.state)) == ["a1", "a2"]


def test_of_two_versions_of_a_key_that_wait_together_the_newer_file_comes_last(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "same,2", modified=1_700_000_002)
    write(tmp_path / "b.csv", "same,1", modified=1_700_000_001)
    assert [row["n"] for row in tap(tmp_path).records("rows")] == [1, 2]
