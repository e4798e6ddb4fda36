"""Full files: the newest is the whole truth, so rows of the one before that it no longer has are told gone."""

from __future__ import annotations

import logging
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from snello.kit.files.layout import DELETED_AT, Column, FileSet
from snello.kit.files.moments import STAMP
from snello.kit.files.places import Found
from snello.kit.files.schema import arrow_schema
from snello.kit.memory import SCHEMA, Keeper, Memory, compared
from snello.kit.records import jsonable

TABLE_ROWS = 50_000

_encode = msgspec.json.Encoder().encode


class Whole:
    """Compares the keys of a full file, once read to its end, with those of the full file before.

    - ``state``: the stream's; names the generation of the memory that it speaks of
    """

    def __init__(self, where: str, layout: FileSet, memory: Memory, state: MutableMapping[str, Any]) -> None:
        self._where, self._layout, self._memory, self._state = where, layout, memory, state
        self._logger = logging.getLogger(where.partition(":")[0])
        types = {column.name: column.type for column in layout.columns}
        self._shape = [[key, types.get(key, "string")] for key in layout.keys]
        self._keys: list[pa.Array] = []
        self._unread = 0

    @property
    def _last(self) -> dict[str, Any]:
        return dict(self._state.get("whole", {}))

    def is_newer(self, found: Found) -> bool:
        """Whether the file is not older than the last one that was read: an old dump is no news."""
        return bool(found.modified >= self._last.get("modified", 0.0))

    def begin(self) -> None:
        """A file is about to be read."""
        self._keys, self._unread = [], 0

    def note(self, keys: pa.Table, unread: int) -> None:
        """The keys of some rows of the file, and how many rows hold none that could be read."""
        self._unread += unread
        columns = [jsonable(values) for values in keys.columns]
        rows = zip(*columns, strict=True)
        self._keys.append(pa.array([_encode(row).decode() for row in rows], pa.string()))

    def gone(self, columns: tuple[Column, ...], found: Found) -> Iterator[pa.Table]:
        """Tombstones of the rows that the file, read to its end, no longer has; then it is the one to compare with."""
        now = _table(self._keys)
        before = self._before()
        gone = compared(before, now).gone if before is not None else pa.array([], pa.string())
        withheld = self._withheld(len(gone), before.num_rows if before is not None else 0)
        with self._memory.keep() as keeper:
            _add(keeper, now.column("key"))
            if withheld:
                # still to be compared with, or the next full file would not miss them
                _add(keeper, gone)
                self._logger.warning("%s: %s: %s", self._where, found.name, withheld)
            else:
                yield from self._tombstones(columns, gone)
            generation = keeper.close()
        self._state["whole"] = {"generation": generation, "modified": found.modified, "keys": self._shape}
        self._memory.prune(generation)

    def _before(self) -> pa.Table | None:
        last = self._last
        if not last:
            return None
        if last.get("keys") != self._shape:
            self._logger.warning("%s: the keys changed, so no row is told gone this time", self._where)
            return None
        return self._memory.recall(last["generation"])

    def _withheld(self, gone: int, before: int) -> str:
        """Why no row is told gone although some are; empty when nothing speaks against it."""
        if not gone:
            return ""
        if self._unread:
            return f"{self._unread} rows hold no key that can be read, so no row is told gone. Next: mend the file"
        if gone > before * self._layout.deletes_at_most:
            what = f"{gone} of {before} rows are gone, more than deletes_at_most allows; none is told gone"
            return f"{what}. Next: check that the file is complete, or raise deletes_at_most"
        return ""

    def _tombstones(self, columns: tuple[Column, ...], gone: pa.Array) -> Iterator[pa.Table]:
        schema = arrow_schema(columns, self._layout)
        now = pa.scalar(datetime.now(UTC), STAMP)
        for start in range(0, len(gone), TABLE_ROWS):
            keys = [msgspec.json.decode(key) for key in gone.slice(start, TABLE_ROWS).to_pylist()]
            arrays = {name: _typed(values, schema.field(name).type) for name, values in self._by_name(keys)}
            arrays[DELETED_AT] = pa.repeat(now, len(keys))
            absent = [pa.nulls(len(keys), field.type) for field in schema]
            chosen = [arrays.get(field.name, none) for field, none in zip(schema, absent, strict=True)]
            yield pa.Table.from_arrays(chosen, schema=schema)

    def _by_name(self, keys: list[list[Any]]) -> Iterator[tuple[str, list[Any]]]:
        yield from zip(self._layout.keys, map(list, zip(*keys, strict=True)), strict=True)


def _typed(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Values of a key as the memory holds them: texts where JSON has no type of its own."""
    plain = pa.array(values)
    return plain if plain.type == kind else plain.cast(kind)


def _table(keys: list[pa.Array]) -> pa.Table:
    joined = pa.chunked_array(keys, pa.string())
    return pa.table([joined, pa.chunked_array([np.zeros(len(joined), "int64")])], schema=SCHEMA)


def _add(keeper: Keeper, keys: pa.Array | pa.ChunkedArray) -> None:
    for chunk in keys.chunks if isinstance(keys, pa.ChunkedArray) else [keys]:
        keeper.add(chunk, pa.array(np.zeros(len(chunk), "int64")))
