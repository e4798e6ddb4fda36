"""Rows that are gone from a table, found by comparing its keys with those of the last complete reading.

A tombstone is a row with its key, ``_deleted_at`` and nothing else. Absence alone is no proof: the keys are read in one
statement to its end, their number has to agree with the table's, and a table that lost more than agreed yields none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.errors import ConfigError
from snello.kit.memory import SCHEMA, Memory, compared, memory_root
from snello.kit.sql import rowkeys
from snello.kit.sql.chunks import Chunk, Outline
from snello.kit.sql.host import Host
from snello.kit.sql.query import Range
from snello.kit.sql.settings import Settings
from snello.kit.sql.tables import Table
from snello.kit.sql.types import UTC_MICROSECONDS

DELETED_AT = "_deleted_at"
DELETED_SCHEMA = {
    "type": ["string", "null"],
    "format": "date-time",
    "description": "When the row was found to be gone from the table; null for rows that are there.",
}
GENERATION = "keys"

_NAMED_AT_ONCE = 200
_LISTED_ROWS = 250_000

logger = logging.getLogger(__name__)


def asked_for(table: Table, settings: Settings, where: str) -> bool:
    """Whether deletions of a table are to be told. Raises ``ConfigError`` where that is asked by name and cannot be.

    Where a pattern with ``*`` asks for it, tables without a key are left out.
    """
    pattern = settings.compares(table.name.fits)
    if pattern is None or (not table.keys and "*" in pattern):
        return False
    if not table.keys:
        what = "deletes compares keys, and the table has none"
        raise ConfigError(where, what, "name its key columns in primary_keys")
    if DELETED_AT in table.column_names:
        what = f"the table has a column {DELETED_AT} of its own, which deletes would fill"
        raise ConfigError(where, what, "leave the table out in setting deletes")
    return True


@dataclass
class Deletions:
    """The comparison of one stream in one run.

    - ``by_changes``: the stream was not read whole, so that rows that came back with an old date must be read by key
    """

    host: Host
    table: Table
    outline: Outline
    where: str
    state: dict[str, Any]
    by_changes: bool
    doubted: bool = False
    _sent: list[pa.Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        name, place = self.table.name, self.host.database
        self.memory = Memory(memory_root(self.host.options.memory), f"{place}/{name.schema}", self.outline.stream)
        self.columns = [self.table.column(key) for key in self.outline.keys]

    def living(self, chunk: Chunk) -> Chunk:
        """A chunk of rows that are there, its keys taken down."""
        self._sent.append(rowkeys.written(chunk.rows, self.outline.keys))
        empty = pa.nulls(chunk.rows.num_rows, UTC_MICROSECONDS)
        return Chunk(chunk.rows.append_column(DELETED_AT, empty), chunk.refused, chunk.after)

    def chunks(self) -> Iterator[Chunk]:
        """Rows that came back unseen, and tombstones; the state then names the keys of this reading."""
        generation = self.state.get(GENERATION)
        self.memory.prune(generation)
        before, now = self.memory.recall(generation), self._listed()
        earlier = before.column("key").chunks if before is not None else []
        known = _keyed(pa.concat_arrays([*earlier, *self._sent, pa.array([], pa.string())]))
        if now is not None:
            found = compared(known, now)
            if self._too_many(len(found.gone), before.num_rows if before else 0, now.num_rows):
                now = None
            else:
                if self.by_changes and before is not None:
                    yield from self._back(found.new)
                if len(found.gone):
                    logger.info("%s: %s rows are gone from the table", self.where, len(found.gone))
                    yield self._tombstones(found.gone)
        # in doubt, what was told before and now stays known: it may be found to be gone another time
        self._keep(_keyed(pc.unique(known.column("key"))) if now is None else now)

    def _keep(self, rows: pa.Table) -> None:
        with self.memory.keep() as keeper:
            keeper.add(*(column.combine_chunks() for column in rows.columns))
            self.state[GENERATION] = keeper.close()

    def _listed(self) -> pa.Table | None:
        """All keys of the table; None, and a sentence, when they cannot be shown to be all."""
        reader, keys = self.host.reader, self.outline.keys
        outline = Outline(self.outline.stream, self.columns, (), keys)
        before, listed, texts = reader.count(self.table), 0, []
        for chunk in reader.chunks(self.table, outline, Range(), _LISTED_ROWS):
            listed += chunk.rows.num_rows + len(chunk.refused)
            texts.append(rowkeys.written(chunk.rows, keys))
        after = reader.count(self.table)
        if not min(before, after) <= listed <= max(before, after):
            self._doubt(f"{listed} keys were listed of {after} rows", "run again")
            return None
        return _keyed(pa.concat_arrays([*texts, pa.array([], pa.string())]))

    def _too_many(self, gone: int, known: int, now: int) -> bool:
        share = self.host.options.deletes_at_most
        if not known or share >= 1 or (now and gone <= share * known):
            return False
        what = f"{gone} of {known} rows are gone, more than deletes_at_most allows ({share})"
        what = what if now else "the table is suddenly empty"
        self._doubt(what, "if that is meant, set deletes_at_most to 1 for one run")
        return True

    def _doubt(self, what: str, cure: str) -> None:
        self.doubted = True
        logger.warning("%s: %s, so no deletion is told. Next: %s.", self.where, what, cure)

    def _back(self, new: pa.Array) -> Iterator[Chunk]:
        """Rows whose keys are new although no change told of them: restored, or written with an old date."""
        if not len(new) or not rowkeys.nameable(self.columns):
            return
        rows, _ = rowkeys.read(new, self.columns)
        for start in range(0, len(rows), _NAMED_AT_ONCE):
            for chunk in self.host.reader.named(self.table, self.outline, rows[start : start + _NAMED_AT_ONCE]):
                yield Chunk(self.living(chunk).rows, chunk.refused)

    def _tombstones(self, gone: pa.Array) -> Chunk:
        _, values = rowkeys.read(gone, self.columns)
        keys = dict(zip(self.outline.keys, values, strict=True))
        arrays = [keys.get(column.name, pa.nulls(len(gone), column.arrow)) for column in self.outline.columns]
        rows = pa.Table.from_arrays(arrays, schema=self.outline.schema())
        moment = pa.repeat(pa.scalar(datetime.now(UTC), UTC_MICROSECONDS), len(gone))
        return Chunk(rows.append_column(DELETED_AT, moment))


def _keyed(texts: pa.Array) -> pa.Table:
    return pa.table([texts, pa.array(np.zeros(len(texts), dtype="<i8"))], schema=SCHEMA)
