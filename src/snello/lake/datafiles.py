"""Parquet files of a table: written here, taken over from elsewhere, or rewritten without some rows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.fs as pa_fs
import pyarrow.parquet as pq
from deltalake.transaction import AddAction, RemoveAction

from snello.lake.bounds import OURS, Bounds, LiveFile, bounds_of, statistics, union

GROUP_ROWS = 122_880  # rows of a Parquet row group: what DuckDB gives to one thread
COMPRESSION = "zstd"


@dataclass(frozen=True)
class DataFile:
    """A file in the table's folder that no version of the table names yet."""

    name: str
    size: int
    rows: int
    bounds: Bounds

    def added(self) -> AddAction:
        """The action by which a version takes the file in."""
        return AddAction(self.name, self.size, {}, _now(), True, statistics(self.rows, self.bounds))


def removed(file: LiveFile) -> RemoveAction:
    """The action by which a version leaves the file out."""
    return RemoveAction(file.name, True, _now(), file.size, {})


def new_name(run_id: str) -> str:
    """A file name that tells which run wrote it."""
    return f"{OURS}{run_id}-{uuid.uuid4().hex}.parquet"


class FileWriter:
    """Writes one Parquet file batch by batch and keeps the exact bounds of its keys."""

    rows: int
    bounds: Bounds | None

    def __init__(self, filesystem: pa_fs.FileSystem, run_id: str, schema: pa.Schema, keys: Sequence[str]) -> None:
        self.filesystem, self.name, self.keys = filesystem, new_name(run_id), keys
        self.schema, self.rows, self.bounds = schema, 0, None
        self._sink: pa.NativeFile | None = None
        self._writer: pq.ParquetWriter | None = None

    def write(self, part: pa.Table) -> None:
        """Add rows; they are of the writer's schema already."""
        if not part.num_rows:
            return
        if self._writer is None:
            self._sink = self.filesystem.open_output_stream(self.name)
            texts = [field.name for field in self.schema if pa.types.is_string(field.type)]
            self._writer = pq.ParquetWriter(
                self._sink, self.schema, compression=COMPRESSION, use_dictionary=texts or False
            )
        self._writer.write_table(part, row_group_size=GROUP_ROWS)
        found = bounds_of(part, self.keys)
        self.bounds = found if self.bounds is None else union(self.bounds, found)
        self.rows += part.num_rows

    def close(self) -> DataFile | None:
        """The finished file; None when no row was written, and then there is no file."""
        if self._writer is None or self._sink is None:
            return None
        self._writer.close()
        self._sink.close()
        size = self.filesystem.get_file_info(self.name).size
        return DataFile(self.name, size, self.rows, self.bounds or {})

    def abandon(self) -> None:
        """Drop the file, finished or not."""
        if self._sink is None:
            return
        self._writer = None
        if not self._sink.closed:
            self._sink.close()
        delete(self.filesystem, self.name)
        self._sink = None


def delete(filesystem: pa_fs.FileSystem, name: str) -> None:
    """Delete a file if it is there."""
    if filesystem.get_file_info(name).type == pa_fs.FileType.File:
        filesystem.delete_file(name)


def read_columns(filesystem: pa_fs.FileSystem, name: str, schema: pa.Schema) -> pa.Table:
    """Those columns of a file that ``schema`` names, typed as it says; null where the file has none."""
    with filesystem.open_input_file(name) as source:
        file = pq.ParquetFile(source)
        present = [column for column in schema.names if column in file.schema_arrow.names]
        return conform(file.read(columns=present), schema, file.metadata.num_rows)


def read_batches(filesystem: pa_fs.FileSystem, name: str, schema: pa.Schema) -> Iterator[pa.Table]:
    """All rows of a file in order, a part at a time, typed as ``schema`` says."""
    with filesystem.open_input_file(name) as source:
        for batch in pq.ParquetFile(source).iter_batches(batch_size=GROUP_ROWS):
            yield conform(pa.Table.from_batches([batch]), schema, batch.num_rows)


def conform(table: pa.Table, schema: pa.Schema, rows: int | None = None) -> pa.Table:
    """The table with exactly the columns of ``schema``, in its order and types; missing ones are null."""
    rows = table.num_rows if rows is None else rows
    columns = [
        table.column(field.name).cast(field.type) if field.name in table.column_names else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _now() -> int:
    return time.time_ns() // 1_000_000
