"""BATCH messages: files that a tap wrote itself. A Parquet file that fits goes into the table as it is."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlparse

import fsspec
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from snello.errors import ContractError
from snello.kit.loader.columns import EXTRACTED_AT, Kind
from snello.kit.loader.stream import StreamLoad
from snello.lake import storage
from snello.lake.bounds import bounds_of
from snello.lake.datafiles import DataFile, delete, new_name
from snello.lake.keysets import KeySet, unique

_LINES = 10_000

Part = TypeVar("Part")


def take(load: StreamLoad, path: str, encoding: dict[str, Any], rows: int) -> Iterator[list[msgspec.Raw]]:
    """Load one file into the stream's table; what must go the way of records comes out, ``rows`` at a time at most.

    - a Parquet file of the table's own columns and types, with keys that are unique, is moved into the table
    - any other file is read
    - a local file is gone when the last part was asked for

    Raises ``ContractError`` when it cannot be opened or its format is unknown.
    """
    if encoding.get("format") not in ("parquet", "jsonl"):
        raise ContractError(f"stream {load.name}", f"BATCH format {encoding.get('format')!r}", "write parquet or jsonl")
    local = _local(path)
    opened = str(local or path)
    if encoding["format"] == "jsonl":
        yield from _told(load, _lines(opened, encoding.get("compression")))
    elif local is None or not _adopted(load, local):
        yield from _parts(load, opened, rows)
    if local is not None:
        local.unlink(missing_ok=True)


def _told(load: StreamLoad, read: Iterator[Part]) -> Iterator[Part]:
    """What is read of a file, and one sentence when it cannot be read."""
    try:
        yield from read
    except (OSError, EOFError, pa.ArrowInvalid):
        raise ContractError(f"stream {load.name}", "a BATCH file is missing or damaged", "run the tap again") from None


def _local(path: str) -> Path | None:
    parts = urlparse(path)
    return Path(unquote(parts.path) if parts.scheme else path) if parts.scheme in ("", "file") else None


def _adopted(load: StreamLoad, path: Path) -> bool:
    """Move the file into the table, if it fits and its keys allow."""
    if not load.keys or load.method == "append-only" or storage.is_remote(load.writer.uri):
        return False
    [file] = _told(load, iter(map(pq.ParquetFile, [path])))
    rows, size = file.metadata.num_rows, path.stat().st_size
    if not rows:
        return True
    if not _fits(load, file.schema_arrow) or file.read([EXTRACTED_AT]).column(0).null_count:
        return False
    keys = file.read(list(load.keys)).select(list(load.keys))
    if not unique(keys, load.keys) or (load.buried and load.buried.kept(keys, load.keys) is not keys):
        return False
    name = new_name(load.writer.run_id)
    shutil.move(path, storage.local_path(load.writer.uri) / name)
    try:
        columns = pa.schema([load.writer.schema.field(column) for column in file.schema_arrow.names])
        load.writer.adopt(DataFile(name, size, rows, bounds_of(keys, load.keys)), KeySet(keys, load.keys), columns)
    except BaseException:
        delete(load.writer.filesystem, name)
        raise
    load.tally.rows += rows
    load.tally.bytes += size
    return True


def _fits(load: StreamLoad, schema: pa.Schema) -> bool:
    columns = {column.name: column for column in load.columns}
    table = load.writer.schema
    return EXTRACTED_AT in schema.names and all(
        field.name in columns
        and columns[field.name].property == field.name
        and table.field(field.name).type == columns[field.name].type
        and (field.type == columns[field.name].type or _same_text(field.type, columns[field.name].type))
        for field in schema
    )


def _same_text(found: pa.DataType, kept: pa.DataType) -> bool:
    """Whether both are text, which Parquet keeps in one way only."""
    return bool(pa.types.is_string(kept) and pa.types.is_large_string(found))


def _parts(load: StreamLoad, path: str, rows: int) -> Iterator[list[msgspec.Raw]]:
    """Write the parts whose columns cast without loss; hand the others out as records."""
    for batch in _told(load, _batches(path, rows)):
        part = _cast(load, batch)
        if part is None:
            yield [msgspec.Raw(msgspec.json.encode(row)) for row in batch.to_pylist()]
        else:
            load.write(part)
            load.tally.bytes += part.nbytes


def _batches(path: str, rows: int) -> Iterator[pa.Table]:
    with fsspec.open(path, "rb") as source:
        for batch in pq.ParquetFile(source).iter_batches(batch_size=rows):
            yield pa.Table.from_batches([batch])


def _cast(load: StreamLoad, part: pa.Table) -> pa.Table | None:
    columns = {column.property: column for column in load.columns}
    if EXTRACTED_AT not in part.column_names or any(name not in columns for name in part.column_names):
        return None
    kept = {columns[name].name: (part.column(name), columns[name]) for name in part.column_names}
    if any(name not in kept or kept[name][0].null_count for name in (EXTRACTED_AT, *load.keys)):
        return None
    if any(_is_nested(column.kind, values.type) for values, column in kept.values()):
        return None
    try:
        return pa.table({name: values.cast(column.type) for name, (values, column) in kept.items()})
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _is_nested(kind: Kind, found: pa.DataType) -> bool:
    return kind is Kind.JSON and not (pa.types.is_string(found) or pa.types.is_large_string(found))


def _lines(path: str, compression: str | None) -> Iterator[list[msgspec.Raw]]:
    with _opened(path, compression) as source:
        while lines := source.readlines(_LINES * 200):
            yield [msgspec.Raw(line) for line in lines if line.strip()]


@contextmanager
def _opened(path: str, compression: str | None) -> Iterator[Any]:
    with fsspec.open(path, "rb") as source:
        if compression == "gzip" or (compression is None and path.endswith(".gz")):
            with gzip.open(source) as plain:
                yield plain
        else:
            yield source
