"""One stream of a run: its batch, its columns, and how its rows enter the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from snello.errors import ContractError
from snello.kit.loader.buried import Buried
from snello.kit.loader.columns import EXTRA, EXTRACTED_AT, ROW_KEY, Column, arrow_schema, columns_of
from snello.kit.loader.decoding import RowDecoder
from snello.kit.loader.rowkeys import RowKeys
from snello.lake.arrowtypes import TIMESTAMP
from snello.lake.replacement import Replacement
from snello.lake.writer import TableWriter

Method = Literal["upsert", "append-only", "overwrite"]

_DECODED_AT_ONCE = 1_000  # fewer would make too many small columns, more would leave the processor's cache


@dataclass(frozen=True)
class Refusal:
    """A record that stays out of its table: where it stood in the run, what is wrong, and the record itself."""

    message: int
    reason: str
    record: bytes


@dataclass
class Tally:
    """What one stream came to in one run."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    rows: int = 0
    refused: int = 0
    buried: int = 0
    bytes: int = 0


class StreamLoad:
    """Collects the records of one stream and writes them, a batch at a time, by the stream's load method."""

    def __init__(self, name: str, method: Method, writer: TableWriter, buried: Buried | None = None) -> None:
        self.name, self.method, self.table, self.buried = name, method, writer, buried
        self.tally = Tally()
        self._replacement: Replacement | None = None
        self._row_keys = RowKeys()
        self._records: list[msgspec.Raw] = []
        self._times: list[str | None] = []
        self._messages: list[int] = []
        self._parts: list[pa.Table] = []
        self._refusals: list[Refusal] = []
        self.columns: tuple[Column, ...] = ()
        self.keys: tuple[str, ...] = ()

    def declare(self, schema: dict[str, Any], keys: Sequence[str]) -> None:
        """Take a SCHEMA message: the table comes to be, or grows, at once.

        Raises ``ContractError`` when a key is no property, or a column's new type cannot hold its old values.
        """
        missing = sorted(set(keys) - set(schema["properties"]))
        if missing:
            raise ContractError(
                f"stream {self.name}", f"key {missing[0]!r} is no property of its schema", "mend the tap"
            )
        self.columns = columns_of(schema, self.table.schema)
        names = {column.property: column.name for column in self.columns}
        self.keys = tuple(names[key] for key in keys)
        self._decoder = RowDecoder(self.columns)
        self.writer.evolve(self._schema())

    @property
    def writer(self) -> TableWriter:
        """Where rows go: the table, or for an overwrite its replacement."""
        if self.method != "overwrite":
            return self.table
        if self._replacement is None:
            self._replacement = Replacement(self.table, self._schema())
        return self._replacement.writer

    @property
    def keyless(self) -> bool:
        """Whether rows are told apart by what they say."""
        return not self.keys and self.method != "overwrite"

    @property
    def waiting(self) -> bool:
        """Whether rows arrived that no commit holds yet."""
        return bool(self._records or self._parts) or (self._replacement is not None and self.tally.rows > 0)

    def add(self, records: Sequence[msgspec.Raw], times: Sequence[str | None], first_message: int) -> int:
        """Take records that stand one after the other in the run; returns their size in bytes."""
        self._records.extend(records)
        self._times.extend(times)
        self._messages.extend(range(first_message, first_message + len(records)))
        if len(self._records) >= _DECODED_AT_ONCE:
            self._decode()
        size = sum(map(len, records))
        self.tally.bytes += size
        return size

    def flush(self) -> list[Refusal]:
        """Write the batch; the records that do not fit come back."""
        self._decode()
        parts, refusals = self._parts, self._refusals
        self._parts, self._refusals = [], []
        if parts:
            self.write(pa.concat_tables(parts, promote_options="default"))
        return refusals

    def _decode(self) -> None:
        """Make columns of the records at hand."""
        records, times, messages = self._records, self._times, self._messages
        self._records, self._times, self._messages = [], [], []
        if not records:
            return
        decoded = self._decoder.decode(records)
        table = _stamped(decoded.table, times if not decoded.misfits else [times[place] for place in decoded.kept])
        misfits = dict(decoded.misfits)
        for row, reason in self._keyless_rows(table).items():
            misfits[decoded.kept[row]] = reason
        if len(misfits) > len(decoded.misfits):
            table = table.filter(pa.array([place not in misfits for place in decoded.kept]))
        self._parts.append(table)
        refusals = [Refusal(messages[place], misfits[place], bytes(records[place])) for place in sorted(misfits)]
        kept = [one for one in refusals if not self._tells_of_buried(one.record)]
        self._refusals += kept
        self.tally.refused += len(kept)
        self.tally.buried += len(refusals) - len(kept)

    def write(self, table: pa.Table) -> None:
        """Write rows that are columns of this stream already, keys not null."""
        if not table.num_rows:
            return
        if EXTRA in table.column_names:
            self.writer.evolve(pa.schema([(EXTRA, pa.string())]))
        if self.keyless:
            table = self._row_keys.added_to(table)
        table = self._without_buried(table)
        self.tally.rows += table.num_rows
        if self.keyless:
            self.writer.insert(table, [ROW_KEY], own_are_new=True)
        elif not self.keys:
            self.writer.append(table)
        elif self.method == "append-only":
            self.writer.insert(table, self.keys)
        else:
            self.writer.upsert(table, self.keys)

    @property
    def told_by(self) -> tuple[str, ...]:
        """The columns that name a row of the table: its keys, or what a row without keys says."""
        return (ROW_KEY,) if self.keyless else self.keys

    def _without_buried(self, table: pa.Table) -> pa.Table:
        if self.buried is None or not self.told_by:
            return table
        kept = self.buried.kept(table, self.told_by)
        self.tally.buried += table.num_rows - kept.num_rows
        return kept

    def _tells_of_buried(self, record: bytes) -> bool:
        properties = [column.property for key in self.keys for column in self.columns if column.name == key]
        return self.buried is not None and bool(properties) and self.buried.tells_of(record, properties)

    def finish(self) -> bool:
        """Put an overwrite in place; False when no row came and the table was left as it was."""
        if self._replacement is None:
            return True
        replaced, self._replacement = self._replacement, None
        if self.tally.rows:
            replaced.commit()
            return True
        replaced.drop()
        return False

    def drop(self) -> None:
        """Give up what is not committed."""
        if self._replacement is not None:
            self._replacement.drop()
            self._replacement = None

    def _schema(self) -> pa.Schema:
        schema = arrow_schema(self.columns)
        return schema.append(pa.field(ROW_KEY, pa.string())) if self.keyless else schema

    def _keyless_rows(self, table: pa.Table) -> dict[int, str]:
        """The rows that lack a key, with the reason."""
        return {
            row: f"key {key!r} is missing or null"
            for key in self.keys
            if table.column(key).null_count
            for row in pc.indices_nonzero(table.column(key).is_null()).to_pylist()
        }


def _stamped(table: pa.Table, times: Sequence[str | None]) -> pa.Table:
    """The table with the time of reading in every row: the record's own, its message's, or now."""
    column = table.column(EXTRACTED_AT)
    if not column.null_count:
        return table
    now = datetime.now(UTC)
    known: dict[str | None, datetime] = {text: _moment(text) or now for text in set(times)}
    if len(known) == 1:
        told = pa.scalar(*known.values(), TIMESTAMP)
    else:
        told = pa.array(map(known.__getitem__, times), TIMESTAMP)
    return table.set_column(table.column_names.index(EXTRACTED_AT), EXTRACTED_AT, pc.coalesce(column, told))


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and not moment.tzinfo else moment
