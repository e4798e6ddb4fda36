"""Full files: the newest is the whole truth, so rows of the one before that it no longer has are told gone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.kit.files.drops import rank_of
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

    - ``state``: the stream's; names the generation of the memory that it speaks of, and of an attempt that may have
      sent rows without coming to its end
    - ``save``: writes the state
    """

    def __init__(
        self, where: str, layout: FileSet, memory: Memory, state: MutableMapping[str, Any], save: Callable[[], None]
    ) -> None:
        self._where, self._layout, self._memory, self._state, self._save = where, layout, memory, state, save
        self._logger = logging.getLogger(where.partition(":")[0])
        types = {column.name: column.type for column in layout.columns}
        self._shape = [[key, types.get(key, "string")] for key in layout.keys]
        self._keys: list[pa.Array] = []
        self._before: list[pa.ChunkedArray] = []
        self._unread = 0
        self._is_proven = False

    @property
    def _last(self) -> dict[str, Any]:
        return dict(self._state.get("whole", {}))

    def is_newer(self, found: Found) -> bool:
        """Whether the file is not older than the last one that was read: an old dump is no news."""
        if self._layout.order is None:
            return bool(found.modified >= self._last.get("modified", 0.0))
        return bool(rank_of(found.name, found.modified, self._layout)[1] >= self._last.get("order", ""))

    def is_after(self, found: Found) -> bool:
        """Whether a file of changes came after the last full file, or there was none."""
        if self._layout.order is None:
            return bool(found.modified > self._last.get("modified", -1.0))
        last = self._last.get("order")
        return bool(last is None or rank_of(found.name, found.modified, self._layout)[1] > last)

    def begin(self) -> None:
        """A file is about to be read."""
        self._keys, self._unread = [], 0

    def note(self, keys: pa.Table, unread: int) -> None:
        """The keys of some rows of the file, and how many rows hold none that could be read."""
        self._unread += unread
        columns = [jsonable(values) for values in keys.columns]
        rows = zip(*columns, strict=True)
        self._keys.append(pa.array([_encode(row).decode() for row in rows], pa.string()))

    def proven(self, is_proven: bool = True) -> None:
        """The file can be read to its end: remember what is about to be sent, in case that is cut short.

        - ``is_proven``: something beside the reading says that the file is complete
        """
        self._is_proven = is_proven
        last = self._last
        if last.get("keys", self._shape) != self._shape:
            self._logger.warning("%s: the keys changed, so no row is told gone this time", self._where)
            last = {"modified": last.get("modified", 0.0)}
        held = self._memory.recall(last.get("generation"))
        attempted = self._memory.recall(last.get("attempt"))
        is_lost = held is None and "generation" in last
        self._before = [] if is_lost else [each.column("key") for each in (held, attempted) if each is not None]
        with self._memory.keep() as keeper:
            _add(keeper, _unique([*self._keys, *([attempted.column("key")] if attempted is not None else [])]))
            self._state["whole"] = {**last, "keys": self._shape, "attempt": keeper.close()}
        self._save()

    def changed(self) -> None:
        """A file of changes was sent to its end: the next full file is compared with what it told, too."""
        with self._memory.keep() as keeper:
            _add(keeper, _unique([*self._before, *self._keys]))
            generation = keeper.close()
        last = {key: value for key, value in self._last.items() if key != "attempt"}
        self._state["whole"] = {**last, "generation": generation, "keys": self._shape}
        self._memory.prune(generation)

    def gone(self, columns: tuple[Column, ...], found: Found) -> Iterator[pa.Table]:
        """Tombstones of the rows that the file, sent to its end, no longer has; then it is the one to compare with."""
        now, before = _unique(self._keys), _unique(self._before)
        gone = compared(_table(before), _table(now)).gone
        withheld = self._withheld(len(gone), len(before))
        with self._memory.keep() as keeper:
            _add(keeper, now)
            if withheld:
                # still to be compared with, or the next full file would not miss them
                _add(keeper, gone)
                self._logger.warning("%s: %s: %s", self._where, found.name, withheld)
            else:
                yield from self._tombstones(columns, gone)
            generation = keeper.close()
        self._state["whole"] = {"generation": generation, "modified": found.modified, "keys": self._shape}
        if self._layout.order is not None:
            self._state["whole"]["order"] = rank_of(found.name, found.modified, self._layout)[1]
        self._memory.prune(generation)

    def _withheld(self, gone: int, before: int) -> str:
        """Why no row is told gone although some are; empty when nothing speaks against it."""
        if not gone:
            return ""
        if self._layout.proven_only and not self._is_proven:
            what = f"nothing proves that the file is complete, so none of {gone} rows is told gone"
            return f"{what}. Next: let it come with a checksum and set checksum, or compressed"
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


def _unique(keys: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
    chunks = [chunk for each in keys for chunk in (each.chunks if isinstance(each, pa.ChunkedArray) else [each])]
    return pc.unique(pa.chunked_array(chunks, pa.string()))


def _table(keys: pa.Array) -> pa.Table:
    return pa.table([keys, _no_fingerprints(keys)], schema=SCHEMA)


def _add(keeper: Keeper, keys: pa.Array) -> None:
    keeper.add(keys, _no_fingerprints(keys))


def _no_fingerprints(keys: pa.Array) -> pa.Array:
    return pa.array(np.zeros(len(keys), "int64"))
