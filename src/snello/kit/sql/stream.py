"""One table or view as a Singer stream: the same rows as RECORDs or, when the target takes them, as Parquet BATCHes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
from singer_sdk import Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.types import Context
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import Catalog, CatalogEntry
from singer_sdk.streams import Stream

from snello.errors import ConfigError, ContractError, choices
from snello.kit.records import RecordLines, records_of
from snello.kit.sql.chunks import Chunk, Outline
from snello.kit.sql.deletions import DELETED_AT, DELETED_SCHEMA, Deletions, asked_for
from snello.kit.sql.host import Host
from snello.kit.sql.query import Range
from snello.kit.sql.reading import Reading
from snello.kit.sql.selection import chosen
from snello.kit.sql.settings import FULL_TABLE, INCREMENTAL
from snello.kit.sql.tables import Table
from snello.kit.sql.types import UTC_MICROSECONDS, Column

EXTRACTED_AT = "_sdc_extracted_at"
RECORD_ROWS = 20_000


class SqlStream(Stream):
    """The rows of one table, in key order, from where the state says."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the values are made to the schema already

    def __init__(self, tap: Tap, host: Host, table: Table, name: str) -> None:
        self.table, self.where = table, f"{tap.name}: {name}"
        self.counts: Counter[str] = Counter()
        self._host = host
        schema = table.json_schema()
        self.compared = asked_for(table, host.options, self.where)
        if self.compared:
            schema["properties"][DELETED_AT] = DELETED_SCHEMA
        super().__init__(tap, schema=schema, name=name)
        self.primary_keys = list(table.keys)
        self.replication_key = table.replication_key
        self.forced_replication_method = table.method

    # ------------------------------------------------------------ what is read

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take selection, keys and replication method from a catalog.

        Raises ``ConfigError`` for a method that there is not, or one that lacks its key.
        """
        super().apply_catalog(catalog)
        method = self.replication_method
        if method not in {FULL_TABLE, INCREMENTAL}:
            what = f"replication method {method!r} in the catalog"
            raise ConfigError(self.where, what, choices(method, [FULL_TABLE, INCREMENTAL]))
        if method == INCREMENTAL and not self.replication_key:
            what = "replication method INCREMENTAL in the catalog, without a replication key"
            raise ConfigError(self.where, what, "add replication-key: the column that grows with every change")

    @property
    def effective_schema(self) -> dict[str, Any]:
        """The live table's schema: a catalog's may be older, and loses the precision of decimals."""
        return self.schema

    @property
    def _singer_catalog_entry(self) -> CatalogEntry:
        entry = super()._singer_catalog_entry
        entry.is_view, entry.table = self.table.name.is_view, self.table.name.table
        entry.metadata.root.schema_name = self.table.name.schema
        return entry

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns to read, in the table's order.

        Raises ``ContractError`` when the catalog or a key names one that the table has no longer.
        """
        needed = {*self.primary_keys, *self._order}
        catalogued = (self._input_schema or {}).get("properties")
        if catalogued and DELETED_AT not in self.table.column_names:
            catalogued = [name for name in catalogued if name != DELETED_AT]
        return chosen(self.table, needed, catalogued, lambda name: self.mask["properties", name], self.where)

    def selected_schema(self) -> dict[str, Any]:
        """The schema of the columns that are read."""
        properties = {name: self.schema["properties"][name] for name in self._names}
        return self.schema | {"properties": properties}

    @property
    def _names(self) -> list[str]:
        return [column.name for column in self.columns] + ([DELETED_AT] if self.compared else [])

    @property
    def _order(self) -> tuple[str, ...]:
        key = self.replication_key
        if self.replication_method == INCREMENTAL and key:
            return (key, *(name for name in self.primary_keys if name != key))
        return tuple(self.primary_keys)

    # ------------------------------------------------------------ reading

    def _chunks(self, size: int) -> Iterator[tuple[Range, Chunk]]:
        """Chunks, those of one range in key order, each with the range that it belongs to."""
        try:
            if self.deletions is None:
                yield from self._reading.chunks(size)
                return
            for rows, chunk in self._reading.chunks(size):
                yield rows, self.deletions.living(chunk)
            yield from ((Range(), chunk) for chunk in self.deletions.chunks())
        except ContractError as fault:
            raise self._explained(fault) from None

    @cached_property
    def _reading(self) -> Reading:
        key = self.replication_key if self.replication_method == INCREMENTAL else None
        return Reading(self._host, self.table, self._outline, key, self.stream_state)

    @cached_property
    def deletions(self) -> Deletions | None:
        """What finds rows that are gone, where that is asked for."""
        if not self.compared:
            return None
        by_changes = self.replication_method == INCREMENTAL
        outline = replace(self._outline, order=())
        return Deletions(self._host, self.table, outline, self.where, self.stream_state, by_changes)

    @property
    def _outline(self) -> Outline:
        return Outline(self.name, self.columns, self._order, tuple(self.primary_keys))

    def _explained(self, fault: ContractError) -> ContractError:
        """The fault with the name of the column that vanished while the run was on, if that is what happened."""
        now = self._host.live(self.table.name)
        gone = [column.name for column in self.columns if now and column.name not in now.column_names]
        if not gone:
            return fault
        return ContractError(self.where, f"column {gone[0]!r} is gone from the table", "run again without it")

    # ------------------------------------------------------------ writing

    def _sync_batches(self, batch_config: BatchConfig, context: Context | None = None) -> None:
        folder = self._host.folder(batch_config)
        with self.get_batch_counter() as counter, self.get_sync_timer():
            for rows, chunk in self._chunks(self._host.options.batch_rows):
                self._count(chunk)
                if chunk.rows.num_rows:
                    url = folder.write(_stamped(chunk.rows))
                    self._write_batch_message(batch_config.encoding, [url])
                    counter.increment()
                # only now: a signal may write the state at any moment
                self._advance(rows, chunk)
                self._write_state_message()
        self._finish()
        self._write_state_message()

    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any]]:
        if not (write_messages and self._is_plain() and isinstance(self._tap.message_writer, MsgSpecWriter)):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        lines = RecordLines(self.name, self._names)
        with self.get_record_counter() as counter, self.get_sync_timer():
            for rows, chunk in self._chunks(RECORD_ROWS):
                self._count(chunk)
                if chunk.rows.num_rows:
                    sys.stdout.buffer.write(lines.of_table(chunk.rows, datetime.now(UTC).isoformat()))
                    counter.increment(chunk.rows.num_rows)
                self._advance(rows, chunk)
                self._write_state_message()
        self._finish()
        self._write_state_message()

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Single records, for stream maps and trial runs."""
        for rows, chunk in self._chunks(RECORD_ROWS):
            self._count(chunk)
            yield from records_of(chunk.rows)
            self._advance(rows, chunk)
        self._finish()

    def get_batch_config(self, config: Mapping[str, Any]) -> BatchConfig | None:
        """The batch configuration; none where single records are asked for, because files pass stream maps by."""
        return super().get_batch_config(config) if self._is_plain() else None

    def _is_plain(self) -> bool:
        maps = self.stream_maps
        same = len(maps) == 1 and type(maps[0]) is SameRecordTransform and not maps[0].flattening_enabled
        return same and self.selected and self.ABORT_AT_RECORD_COUNT is None

    def _count(self, chunk: Chunk) -> None:
        self.counts["rows"] += chunk.rows.num_rows
        self.counts["refused"] += len(chunk.refused)
        if chunk.refused:
            self._host.quarantine.refuse(chunk.refused)

    # ------------------------------------------------------------ state

    def _advance(self, rows: Range, chunk: Chunk) -> None:
        self._reading.advance(rows, chunk)
        self.state_manager.is_flushed = False

    def _finish(self) -> None:
        self._reading.finish()
        self.state_manager.is_flushed = False

    def _increment_stream_state(self, latest_record: Any, *, context: Context | None = None) -> None:
        """Nothing: the state moves on by chunks, after they were written."""

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the range that is read has an end of its own."""

    def log_sync_costs(self) -> None:
        """Tell what was read; the SDK calls this for each stream when all are through."""
        counts = self.counts + self._reading.counts
        self.logger.info("%s: %s rows read", self.where, counts["rows"])
        if counts["keyless"] and self.replication_method == INCREMENTAL:
            told = "%s: %s rows have no %s; they are read in every run"
            self.logger.warning(told, self.where, counts["keyless"], self.replication_key)
        if counts["refused"]:
            self.logger.warning("%s: %s rows refused, see stream _quarantine", self.where, counts["refused"])
        self._host.stream_done(self.name)


def _stamped(rows: pa.Table) -> pa.Table:
    if EXTRACTED_AT in rows.column_names:
        return rows
    moment = pa.scalar(datetime.now(UTC), UTC_MICROSECONDS)
    return rows.append_column(EXTRACTED_AT, pa.repeat(moment, rows.num_rows))
