"""Where rows leave a REST stream: as RECORD lines, or gathered into Parquet BATCHes; misfits go to the quarantine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from snello.kit.batches import BatchFolder
from snello.kit.loader.columns import EXTRACTED_AT, columns_of
from snello.kit.loader.decoding import RowDecoder
from snello.kit.quarantine import quarantined
from snello.kit.rest.asking import Row

BATCH_ROWS = 100_000
BATCH_SECONDS = 60.0
Refuse = Callable[[list[Row]], None]

_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True)
class Checked:
    """Rows that were checked against their schema: as they are, encoded, and as a table where one was asked for."""

    rows: Sequence[Row]
    raws: Sequence[msgspec.Raw]
    table: pa.Table | None = None


class Gate:
    """Lets through the rows that mean what the schema says; ``refuse`` takes the others, as rows of the quarantine.

    - ``keys``: what a refused row is told by
    """

    def __init__(self, stream: str, schema: dict[str, Any], keys: Sequence[str], refuse: Refuse) -> None:
        self.stream, self.keys, self.refuse = stream, tuple(keys), refuse
        self.columns = [column for column in columns_of(schema) if column.property != EXTRACTED_AT]
        self.refused = 0
        self._decoder = RowDecoder(self.columns)

    def check(self, rows: Sequence[Row], *, table: bool = False) -> Checked:
        """The rows that fit; also as a table when asked for."""
        raws = [msgspec.Raw(_encode(row)) for row in rows]
        decoded = self._decoder.decode(raws) if table else None
        misfits = decoded.misfits if decoded else self._decoder.misfits(raws)
        if misfits:
            self.turn_away([(rows[place], reason) for place, reason in misfits.items()])
            kept = [place for place in range(len(rows)) if place not in misfits]
            rows, raws = [rows[place] for place in kept], [raws[place] for place in kept]
        return Checked(rows, raws, decoded.table if decoded else None)

    def turn_away(self, refused: Sequence[tuple[Row, str]]) -> None:
        """Rows that do not fit, each with the reason."""
        self.refused += len(refused)
        self.refuse([quarantined(self.stream, self._position(row), why, _text(row)) for row, why in refused])

    def _position(self, row: Row) -> str:
        return ", ".join(f"{key}={row.get(key)}" for key in self.keys) or "no key"


class Outlet(Protocol):
    """A way out for rows."""

    columnar: bool  # whether it takes tables

    def put(self, rows: Checked) -> None:
        """Take rows; they may wait for others."""

    def flush(self) -> None:
        """Write what waits."""

    @property
    def due(self) -> bool:
        """Whether what waits is enough to be written."""


class Lines:
    """Rows as RECORD lines, written at once."""

    due, columnar = True, False

    def __init__(self, stream: str) -> None:
        self._head = b'{"type":"RECORD","stream":' + msgspec.json.encode(stream) + b',"record":'

    def put(self, rows: Checked) -> None:
        """Write the rows."""
        tail = b',"time_extracted":"' + datetime.now(UTC).isoformat().encode() + b'"}\n'
        sys.stdout.buffer.write(b"".join([self._head + bytes(raw) + tail for raw in rows.raws]))

    def flush(self) -> None:
        """Nothing waits."""


class Batches:
    """Rows gathered into Parquet files; ``tell`` announces a file to the target."""

    columnar = True

    def __init__(self, folder: BatchFolder, tell: Callable[[str], None]) -> None:
        self._folder, self._tell = folder, tell
        self._tables: list[pa.Table] = []
        self._rows, self._since = 0, time.monotonic()

    def put(self, rows: Checked) -> None:
        """Gather the rows with the time of their reading."""
        if rows.table is None or not rows.rows:
            return
        if not self._tables:
            self._since = time.monotonic()
        moment = pa.repeat(pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC")), len(rows.rows))
        self._tables.append(rows.table.append_column(EXTRACTED_AT, moment))
        self._rows += len(rows.rows)

    def flush(self) -> None:
        """Write what waits into one file."""
        if self._tables:
            table = pa.concat_tables(self._tables)
            self._tables, self._rows = [], 0
            self._tell(self._folder.write(table))

    @property
    def due(self) -> bool:
        """Whether there are rows enough for a file, or they have waited long enough."""
        return self._rows >= BATCH_ROWS or (self._rows > 0 and time.monotonic() - self._since > BATCH_SECONDS)


def _text(row: Row) -> str:
    return _encode(row).decode()
