"""One layout's files as a Singer stream: RECORD lines written a table at a time, or Parquet BATCHes."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import pyarrow as pa
from singer_sdk import Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import SchemaMessage
from singer_sdk.streams import Stream

from snello.kit.batches import BatchFolder
from snello.kit.files.chunks import Refusal
from snello.kit.files.known import KnownFiles
from snello.kit.files.layout import EXTRA, FileSet
from snello.kit.files.reader import LayoutReader
from snello.kit.files.schema import own_names, schema_of_rows
from snello.kit.files.whole import Whole
from snello.kit.memory import Memory
from snello.kit.places import state_folder
from snello.kit.quarantine import QuarantineStream, quarantined
from snello.kit.records import RecordLines, records_of

STATE_SECONDS = 5.0  # the state lists every file: written after each of many small ones it would outweigh the rows
BATCH_ROWS = 250_000
EXTRACTED_AT = "_sdc_extracted_at"


class Host(Protocol):
    """What a stream of files asks of its tap."""

    @property
    def quarantine(self) -> QuarantineStream:
        """The stream of refused rows."""

    def stream_done(self, stream: FileStream) -> None:
        """Called when a stream has ended."""


class FileStream(Stream):
    """The rows of the files of one layout."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the values are made to the schema already

    def __init__(self, tap: Tap, host: Host, layout: FileSet, reader: LayoutReader) -> None:
        self.layout, self.reader, self._host = layout, reader, host
        self._state_at = 0.0
        super().__init__(tap, schema=schema_of_rows(self.reader.columns, layout), name=layout.stream)
        self.primary_keys = layout.key_columns

    # ------------------------------------------------------------ what is read

    @property
    def effective_schema(self) -> dict[str, Any]:
        """The layout's schema: that of a catalog may be older, and has no precision of decimals."""
        return self.schema

    @property
    def _names(self) -> list[str]:
        """The selected columns."""
        names = [*(column.name for column in self.reader.columns), *own_names(self.layout)]
        return [name for name in names if name in self.primary_keys or self.mask[("properties", name)]]

    @property
    def _json_names(self) -> list[str]:
        names = [*(column.name for column in self.reader.columns if column.type == "json"), EXTRA]
        return [name for name in names if name in self._names]

    def _tables(self, rows: int = 1) -> Iterator[pa.Table]:
        known = KnownFiles(self.stream_state, self.layout.digest())
        if self.layout.whole:
            where = f"{self.tap_name}: {self.name}"
            self.reader.whole = Whole(where, self.layout, self._memory(), self.stream_state, self._save_state)
        for table in self.reader.tables(known, self._refuse, self._file_done, rows):
            yield table.select(self._names)

    def _memory(self) -> Memory:
        root = self.config.get("memory") or str(state_folder() / "memory")
        return Memory(root, f"{self.tap_name} {self.layout.path}", self.name)

    def _refuse(self, file: str, refusals: list[Refusal]) -> None:
        self._host.quarantine.refuse(
            quarantined(self.name, f"{file}:{row.line}", row.reason, row.record) for row in refusals
        )

    def _file_done(self) -> None:
        """Every row of the file is written: let the state say so."""
        self.state_manager.is_flushed = False
        if time.monotonic() - self._state_at > STATE_SECONDS:
            self._save_state()

    def _save_state(self) -> None:
        self.state_manager.is_flushed = False
        self._write_state_message()
        self._state_at = time.monotonic()

    # ------------------------------------------------------------ how it is written

    def _is_plain(self) -> bool:
        """Whether rows leave as they are: no stream map, no flattening, no limit of a trial run, the usual writer."""
        maps = self.stream_maps
        return (
            self.selected
            and self.ABORT_AT_RECORD_COUNT is None
            and len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not self.config.get("flattening_enabled")
            and isinstance(self._tap.message_writer, MsgSpecWriter)
        )

    def _generate_schema_messages(self) -> Generator[SchemaMessage]:
        if not self._is_plain():
            yield from super()._generate_schema_messages()
            return
        properties = {name: self.schema["properties"][name] for name in self._names}
        yield SchemaMessage(self.name, {**self.schema, "properties": properties}, list(self.primary_keys))

    def get_records(self, context: object) -> Iterable[dict[str, Any]]:
        """Single records, for stream maps and trial runs."""
        for table in self._tables():
            yield from records_of(table, self._json_names)

    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any]]:
        if not (write_messages and self._is_plain()):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        lines = RecordLines(self.name, self._names, self._json_names)
        with self.get_record_counter() as counter, self.get_sync_timer():
            for table in self._tables():
                sys.stdout.buffer.write(lines.of_table(table, datetime.now(UTC).isoformat()))
                counter.increment(table.num_rows)
        sys.stdout.buffer.flush()

    def get_batch_config(self, config: Mapping[str, Any]) -> BatchConfig | None:
        """The batch settings, unless rows must pass one by one."""
        return super().get_batch_config(config) if self._is_plain() else None

    def get_batches(self, batch_config: BatchConfig, context: Any = None) -> Iterator[tuple[Any, list[str]]]:
        """Parquet files of the rows with the time of reading; a file of rows never spans two files read."""
        folder = BatchFolder(batch_config, self.tap_name, f"{self.name} {self.layout.path} {self.layout.digest()}")
        folder.sweep()
        with self.get_record_counter() as counter, self.get_sync_timer():
            for table in self._tables(BATCH_ROWS):
                moment = pa.repeat(pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC")), table.num_rows)
                yield batch_config.encoding, [folder.write(table.append_column(EXTRACTED_AT, moment))]
                counter.increment(table.num_rows)

    def log_sync_costs(self) -> None:
        """Tell what was read; the SDK calls this for each stream when all are through."""
        self.reader.tell()
        self._host.stream_done(self)
