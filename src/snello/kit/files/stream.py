"""One stream of a file tap: its new and changed files, read in chunks and written as they come."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.streams import Stream

from snello.errors import ContractError
from snello.kit.files.known import KnownFiles
from snello.kit.files.layout import FILE, LINE, Column, FileSet, schema_of_rows
from snello.kit.files.places import Found, faults_of_reading, find, parts
from snello.kit.files.reading import columns_in, read_part
from snello.kit.quarantine import quarantined
from snello.kit.records import RecordLines, records_of

if TYPE_CHECKING:
    from snello.kit.files.tap import FileTap

STATE_SECONDS = 5.0  # the state lists every file: written after each of many small ones it would outweigh the rows


class FileStream(Stream):
    """The rows of the files of one layout."""

    def __init__(self, tap: FileTap, layout: FileSet) -> None:
        self.layout, self.where = layout, f"{tap.name}: {layout.stream}"
        self.counts: Counter[str] = Counter()
        self._files_tap, self._options = tap, tap.options
        self._state_at = 0.0
        self.columns = self._columns()
        super().__init__(tap, schema=schema_of_rows(self.columns, layout.key_columns), name=layout.stream)
        self.primary_keys = layout.key_columns

    def _columns(self) -> tuple[Column, ...]:
        if self.layout.columns:
            return self.layout.resolved()
        try:
            for found in self._found:
                with faults_of_reading(self.where), closing(parts(found, self.layout)) as pieces:
                    for name, raw in pieces:
                        return columns_in(raw, self.layout, f"{self.where}: {name}")
        except ContractError:
            return ()  # the same fault is told when the file's rows are to be read
        return ()

    @cached_property
    def _found(self) -> list[Found]:
        return find(self.layout.path, self._options.storage_options, self.where)

    @cached_property
    def _known(self) -> KnownFiles:
        return KnownFiles(self.stream_state, self.layout.digest())

    def _waiting(self) -> Iterator[Found]:
        """The files that are new or changed; unsettled ones are left for the next run."""
        if not self._found:
            what = f"no file matches {self.layout.path}"
            if self.layout.required:
                raise ContractError(self.where, what, "check path, or set required to false")
            self.logger.warning("%s: %s", self.where, what)
        now = time.time()
        for found in self._found:
            if now - found.modified < self._options.settle_seconds:
                self.counts["unsettled"] += 1
            elif self._known.unchanged(found):
                self.counts["unchanged"] += 1
            else:
                yield found

    # ------------------------------------------------------------ reading

    def tables(self) -> Iterator[pa.Table]:
        """Typed tables of every waiting file; a file that cannot be read is told and does not stop the others."""
        try:
            for found in self._waiting():
                yield from self._tables_of(found)
        except ContractError as fault:
            self._break(fault)

    def _tables_of(self, found: Found) -> Iterator[pa.Table]:
        try:
            with faults_of_reading(f"{self.where}: {found.name}"):
                version = found.version()
                for name, raw in parts(found, self.layout):
                    yield from self._tables_of_part(raw, name)
                now = found.again()
        except ContractError as fault:
            self._break(fault)
            return
        self.counts["files"] += 1
        if now is None or (now.size, now.modified) != (found.size, found.modified):
            self.logger.warning("%s: %s changed while it was read; it will be read again", self.where, found.name)
            return
        self._known.remember(found, version, {file.name for file in self._found})
        self.state_manager.is_flushed = False
        if time.monotonic() - self._state_at > STATE_SECONDS:
            self._write_state_message()
            self._state_at = time.monotonic()

    def _tables_of_part(self, raw: Any, name: str) -> Iterator[pa.Table]:
        for table, refused in read_part(raw, self.layout, self.columns, f"{self.where}: {name}", name):
            if refused:
                self.counts["refused"] += len(refused)
                self._files_tap.quarantine.refuse(
                    quarantined(self.name, f"{name}:{row.line}", row.reason, row.record) for row in refused
                )
            if table.num_rows:
                self.counts["rows"] += table.num_rows
                yield table

    def _break(self, fault: ContractError) -> None:
        self.logger.error("%s", fault)
        self._files_tap.broken.append(fault)

    # ------------------------------------------------------------ writing

    def get_records(self, context: object) -> Iterable[dict[str, Any]]:
        """Single records, for stream maps, column selection and trial runs."""
        for table in self.tables():
            yield from records_of(table)

    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any]]:
        if not (write_messages and self._is_plain()):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        lines = RecordLines(self.name, self._names, [column.name for column in self.columns if column.type == "json"])
        with self.get_record_counter() as counter, self.get_sync_timer():
            for table in self.tables():
                sys.stdout.buffer.write(lines.of_table(table, datetime.now(UTC).isoformat()))
                counter.increment(table.num_rows)
        sys.stdout.buffer.flush()

    @property
    def _names(self) -> list[str]:
        return [*(column.name for column in self.columns), FILE, LINE]

    def _is_plain(self) -> bool:
        """Whether rows leave as they are: no stream map, no column left out, no limit, the usual writer."""
        maps = self.stream_maps
        return (
            self.selected
            and self.ABORT_AT_RECORD_COUNT is None
            and len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not self.config.get("flattening_enabled")
            and all(self.mask[("properties", name)] for name in self._names)
            and isinstance(self._tap.message_writer, MsgSpecWriter)
        )

    def log_sync_costs(self) -> None:
        """Tell what was read; the SDK calls this for each stream when all are through."""
        counts = self.counts
        told = [f"{counts['rows']} rows from {counts['files']} files"]
        told += [f"{counts[kind]} files {kind}" for kind in ("unchanged", "unsettled") if counts[kind]]
        self.logger.info("%s: %s", self.where, ", ".join(told))
        if counts["refused"]:
            self.logger.warning("%s: %s rows refused, see stream _quarantine", self.where, counts["refused"])
        self._files_tap.stream_done(self.name)
