"""What a killed run leaves in a table's folder is gone after the next run; what others need stays."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from snello.lake.writer import TableWriter

Rows = Callable[..., list[dict[str, Any]]]
SCHEMA = pa.schema([("id", pa.int64())])

# Commits one file, replaces it, stages two more, begins an overwrite, and dies without a word.
KILLED = """
import os, sys, pyarrow as pa
from snello.lake.writer import TableWriter
from snello.lake.replacement import Replacement
schema = pa.schema([("id", pa.int64())])
writer = TableWriter(sys.argv[1], "killed", schema)
writer.upsert(pa.table({"id": [1]}), ["id"])
writer.upsert(pa.table({"id": [1]}), ["id"])
staged = writer._write([pa.table({"id": [2]})], ["id"], schema)
open(os.path.join(sys.argv[1], "snello-killed-half.parquet"), "w").write("half")
Replacement(writer, schema).writer.append(pa.table({"id": [3]}))
os.kill(os.getpid(), 9)
"""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*.parquet")}


def test_the_next_run_deletes_what_a_killed_run_left_and_nothing_else(tmp_path: Path, rows: Rows) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)]).returncode == -9
    assert len(names(tmp_path)) == 5
    alive = TableWriter(str(tmp_path), "alive", SCHEMA)
    assert len(names(tmp_path)) == 2
    assert rows(tmp_path) == [{"id": 1}]
    assert rows(tmp_path, version=1) == [{"id": 1}]
    assert [path.name for path in (tmp_path / "_writers").iterdir()] == ["alive"]
    alive.close()
    assert list((tmp_path / "_writers").iterdir()) == []


def test_files_of_a_run_that_is_alive_are_left_alone(tmp_path: Path) -> None:
    alive = TableWriter(str(tmp_path), "alive", SCHEMA)
    with alive._staged([pa.table({"id": [1]})], ["id"]) as [staged]:
        TableWriter(str(tmp_path), "other", SCHEMA).close()
        assert names(tmp_path) == {staged.name}
        alive._commit([staged], ())
    alive.close()


def test_files_of_others_are_never_swept(tmp_path: Path) -> None:
    TableWriter(str(tmp_path), "first", SCHEMA).close()
    (tmp_path / "part-0000.parquet").write_text("of another engine")
    (tmp_path / "_writers" / "dead").write_text("0")
    TableWriter(str(tmp_path), "next", SCHEMA).close()
    assert names(tmp_path) == {"part-0000.parquet"}
