"""The trail of a writing run in a table's folder, and the cleaning up after a run that was killed.

A run holds a lock on ``_writers/<run>`` for as long as it lives; the kernel frees it when the process dies, however
it dies. Whoever opens the table next finds the freed lock and deletes what the dead run wrote and no version names.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO

import pyarrow as pa
from deltalake import DeltaTable

import snello.lake.storage as storage
from snello.lake.bounds import OURS

_FOLDER = "_writers"


class Trail:
    """Marks a table's folder as written by one run, until ``erase``.

    Object stores have no locks: there, ``vacuum`` finds what a killed run left.
    """

    def __init__(self, table: DeltaTable, uri: str, run_id: str) -> None:
        self._held: IO[str] | None = None
        if storage.is_remote(uri):
            return
        folder = storage.local_path(uri)
        sweep(table, folder)
        (folder / _FOLDER).mkdir(exist_ok=True)
        self._path = folder / _FOLDER / run_id
        self._held = _marked(self._path)
        self._held.write(str(table.version()))
        self._held.flush()

    def erase(self) -> None:
        """The run ends in good order: nothing is left to clean."""
        if self._held is not None:
            self._path.unlink(missing_ok=True)
            self._held.close()
            self._held = None


def _marked(path: Path) -> IO[str]:
    while True:
        held = path.open("w")
        fcntl.flock(held, fcntl.LOCK_EX)
        if path.exists():
            return held
        held.close()  # another run swept the mark away before it was locked


def sweep(table: DeltaTable, folder: Path) -> int:
    """Delete what runs that were killed left in the folder of ``table``; returns how many files."""
    swept = 0
    for mark in sorted((folder / _FOLDER).glob("*")):
        with suppress(FileNotFoundError, BlockingIOError), mark.open("r") as held:  # ended just now, or alive
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            swept += _sweep_run(table, folder, mark.name, held.read())
            mark.unlink(missing_ok=True)
    return swept


def _sweep_run(table: DeltaTable, folder: Path, run_id: str, version: str) -> int:
    shutil.rmtree(folder / aside(run_id), ignore_errors=True)
    left = {path.name: path for path in folder.glob(f"{OURS}{run_id}-*.parquet")}
    if not left:
        return 0
    named = _named_since(folder, int(version or 0), table.version())
    named |= {action["path"] for action in _actions(table)}
    orphans = [path for name, path in left.items() if name not in named]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)


def aside(run_id: str) -> str:
    """The folder in which a run builds what shall replace the whole table."""
    return f"_aside-{run_id}"


def _named_since(folder: Path, first: int, last: int) -> set[str]:
    named = set()
    for version in range(first, last + 1):
        log = folder / "_delta_log" / f"{version:020}.json"
        if not log.exists():
            continue
        for line in log.read_text().splitlines():
            action = json.loads(line)
            named |= {action[kind]["path"] for kind in ("add", "remove") if kind in action}
    return named


def _actions(table: DeltaTable) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = pa.table(table.get_add_actions()).select(["path"]).to_pylist()
    return rows
