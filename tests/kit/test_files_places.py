from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from pathlib import Path
from typing import Any

import fsspec
import pytest

from snello.errors import ConfigError, ContractError
from snello.kit.files.faults import faults_of_reading
from snello.kit.files.layout import FileSet
from snello.kit.files.parts import parts
from snello.kit.files.places import Found, find


def layout(**settings: Any) -> FileSet:
    return FileSet.model_validate({"stream": "s", "path": "p", "format": "csv", "columns": [{"name": "a"}]} | settings)


def names(path: Path | str) -> list[str]:
    return [found.name for found in find(str(path), {}, "tap: s")]


def content(path: Path, **settings: Any) -> dict[str, bytes]:
    [found] = find(str(path), {}, "tap: s")
    return {name: raw.read() for name, raw in parts(found.name, found.path, layout(**settings))}


def version(found: Found) -> str:
    with found.fetched("tap: s") as copy:
        return copy.version


def test_names_are_relative_to_the_folder_in_front_of_the_first_wildcard(tmp_path: Path) -> None:
    for name in ("a.csv", "sub/b.csv", "sub/deep/c.csv", "d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert names(tmp_path / "*.csv") == ["a.csv"]
    assert sorted(names(tmp_path / "**/*.csv")) == ["a.csv", "sub/b.csv", "sub/deep/c.csv"]
    assert names(tmp_path / "sub/b.csv") == ["b.csv"]
    assert names(tmp_path / "nothing*") == []
    assert names(tmp_path / "absent" / "file.csv") == []


def test_files_come_in_the_order_in_which_they_changed(tmp_path: Path) -> None:
    for name, moment in (("b", 100), ("a", 200), ("c", 100)):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (moment, moment))
    assert names(tmp_path / "*") == ["b", "c", "a"]


def test_files_behind_a_url_are_found_and_read() -> None:
    with fsspec.open("memory://drop/in/a.csv", "wb") as file:
        file.write(b"a\n1\n")
    [found] = find("memory://drop/in/*.csv", {}, "tap: s")
    assert found.name == "a.csv"
    with found.fetched("tap: s") as copy:
        assert [raw.read() for _, raw in parts(found.name, copy.path, layout())] == [b"a\n1\n"]
    assert not Path(copy.path).exists()


def test_an_unknown_kind_of_place_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="no kind of place is called 'ftpx'"):
        find("ftpx://host/*.csv", {}, "tap: s")


def test_a_place_whose_package_is_missing_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="needs a package that is missing"):
        find("gs://bucket/*.csv", {}, "tap: s")


@pytest.mark.parametrize(("name", "packed"), [("gzip", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_compressed_files_are_known_by_their_first_bytes(tmp_path: Path, name: str, packed: Any) -> None:
    data = packed(b"hello")
    (tmp_path / "data").write_bytes(data)
    assert content(tmp_path / "data") == {"data": b"hello"}
    assert content(tmp_path / "data", compression=name) == {"data": b"hello"}
    assert content(tmp_path / "data", compression="none") == {"data": data}


def test_zip_members_that_match_are_files_of_their_own(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("in/a.csv", "a")
        archive.writestr("b.csv", "b")
        archive.writestr("notes.txt", "n")
        archive.mkdir("empty")
    assert content(tmp_path / "z.zip", member="*.csv") == {"z.zip/in/a.csv": b"a", "z.zip/b.csv": b"b"}


def test_the_version_follows_the_content_and_not_the_time(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    [first] = find(str(file), {}, "t")
    before = version(first)
    os.utime(file, (1, 1))
    [touched] = find(str(file), {}, "t")
    assert first.modified != touched.modified
    assert version(touched) == before
    file.write_text("two")
    assert version(touched) != before


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: data[:30] + b"\x00\x00" + data[32:], lambda data: data[:5]]
)
@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_damaged_compression_is_a_fault_of_the_file(packed: Any, damage: Any) -> None:
    opened = {gzip.compress: gzip.open, bz2.compress: bz2.open, lzma.compress: lzma.open}[packed]
    data = damage(packed(os.urandom(2000)))
    with (
        pytest.raises(ContractError, match=r"tap: s: f: .*Next: (fetch the file again|check)"),
        faults_of_reading("tap: s: f"),
    ):
        opened(io.BytesIO(data)).read()


def test_a_loader_that_went_away_is_not_the_files_fault() -> None:
    with pytest.raises(BrokenPipeError), faults_of_reading("tap: s: f"):
        raise BrokenPipeError
