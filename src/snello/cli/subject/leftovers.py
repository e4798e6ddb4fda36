"""What lies beside the lake and holds people too: the warehouse, what connectors remember, files on their way."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from snello.cli.subject.person import Record
from snello.errors import RetryLater
from snello.kit.memory import memory_root
from snello.kit.places import state_folder
from snello.settings import project_root, variable

_OLD = 3600


def forget_warehouse(path: Path) -> int:
    """Remove the file in which dbt builds, and the one of a plan: the next run makes it anew from what is left.

    Raises ``RetryLater`` while dbt is at work.
    """
    removed = 0
    plan = state_folder("plan")
    for file in (path, plan / "warehouse.duckdb"):
        if not file.exists():
            continue
        try:
            duckdb.connect(str(file)).close()
        except duckdb.IOException:
            raise RetryLater("warehouse", "dbt is at work in it", "wait for its end") from None
        for part in (file, file.with_name(f"{file.name}.wal")):
            part.unlink(missing_ok=True)
        removed += 1
    shutil.rmtree(plan, ignore_errors=True)
    return removed


def forget_state(records: frozenset[Record]) -> int:
    """Take keys out of what compared streams held last, and drop kept answers of interfaces; how many went."""
    shutil.rmtree(state_folder("http"), ignore_errors=True)
    gone = 0
    root = Path(memory_root(None))
    for stream in {stream for _, stream, _ in records}:
        keys = {key for _, other, key in records if other == stream}
        for path in root.glob(f"*/{_slug(stream)}-*/*.parquet"):
            gone += _rewritten(path, lambda key, keys=keys: _text(key) not in keys)  # type: ignore[misc]
    return gone


def forget_batches() -> int:
    """Remove files that a tap left for the loader and nobody took.

    Raises ``RetryLater`` when one is young: it may be on its way.
    """
    named = variable("SNELLO_BATCHES")
    folder = project_root() / named if named else None
    files = [path for path in folder.rglob("*") if path.is_file()] if folder and folder.is_dir() else []
    young = [path for path in files if time.time() - path.stat().st_mtime < _OLD]
    for path in set(files) - set(young):
        path.unlink(missing_ok=True)
    if young:
        raise RetryLater("batches", "files of a running tap are on their way to the loader", "wait for its end")
    return len(files)


def _rewritten(path: Path, keep: Callable[[str], bool]) -> int:
    table = pq.read_table(path)
    if "key" not in table.column_names:
        return 0
    mask = [keep(key) for key in table.column("key").to_pylist()]
    if all(mask):
        return 0
    draft = path.with_suffix(".erasing")
    pq.write_table(table.filter(pa.array(mask)), draft, compression="zstd")
    os.replace(draft, path)
    return len(mask) - sum(mask)


def _text(key: str) -> str:
    """The key as a tombstone writes it; memories keep a JSON list."""
    try:
        read = json.loads(key)
    except ValueError:
        return key
    return "/".join(str(value) for value in read) if isinstance(read, list) else str(read)


def _slug(stream: str) -> str:
    return "".join(char if char.isalnum() or char in "_-" else "-" for char in stream)[:80]
