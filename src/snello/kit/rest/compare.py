"""Streams of interfaces without a usable filter: all is read, and what changed since the last reading is emitted.

The rows of a reading are remembered by key and fingerprint (``snello.kit.memory``); the state names that memory. A row
that is no longer listed is reported as gone only when the listing is proven complete. Of a row that only an unfinished
run met, and that went before the next, nothing is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from snello.kit.memory import Keeper, Memory, fingerprints
from snello.kit.rest.asking import Row

GENERATION = "generation"
_PLAIN = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


@dataclass(frozen=True)
class Compare:
    """How rows are compared.

    - ``item``: path of one row, such as ``/customers/{id}``: before a row counts as gone it is asked for by itself, and
      only 404 or 410 says that it is
    - ``volatile``: fields that change without meaning anything, such as a counter of visits
    - ``proof``: what proves a listing complete where there is no ``item``: ``total``, the number of rows that the
      interface tells, the same on every page; ``end``, the end of the paging; ``never``, nothing does; ``part``, the
      listing is meant to be a part of what there is: whatever it leaves out is taken to be as it was
    - ``at_most``: share of the rows that may be gone at once; when there are more, none is reported
    """

    item: str | None = None
    volatile: tuple[str, ...] = ()
    proof: str = "total"
    at_most: float = 0.5


@dataclass
class Comparison:
    """One reading beside the last one; ``rows`` counts the keys of this one."""

    memory: Memory
    keys: tuple[str, ...]
    volatile: frozenset[str]
    generation: str | None
    rows: int = 0
    twice: int = 0
    _keeper: Keeper = field(init=False)
    _met: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        found = self.memory.recall(self.generation)
        self.before = pa.table({"key": pa.array([], pa.string()), "fingerprint": pa.array([], pa.int64())})
        if found is not None:
            self.before = found
        digests = np.array([_digest(key) for key in self.before["key"].to_pylist()], dtype=np.int64)
        self._order = np.argsort(digests, kind="stable")
        self._digests = digests[self._order]
        self._prints = self.before["fingerprint"].to_numpy()[self._order]
        self._seen = np.zeros(len(digests), dtype=bool)
        self._keeper = self.memory.keep()

    def changed(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that are new or changed; each row counts once, however often it is listed."""
        fresh = self._once(rows)
        if not fresh:
            return []
        names = [name_of(row, self.keys) for row in fresh]
        prints = fingerprints([self._encoded(row) for row in fresh])
        self._keeper.add(pa.array(names, pa.string()), prints)
        self.rows += len(fresh)
        digests = np.array([_digest(name) for name in names], dtype=np.int64)
        places = np.searchsorted(self._digests, digests)
        inside = places < len(self._digests)
        hit = np.zeros(len(fresh), dtype=bool)
        hit[inside] = self._digests[places[inside]] == digests[inside]
        self._seen[places[hit]] = True
        same = np.zeros(len(fresh), dtype=bool)
        same[hit] = self._prints[places[hit]] == prints.to_numpy()[hit]
        return [row for row, unchanged in zip(fresh, same, strict=True) if not unchanged]

    def gone(self) -> list[Row]:
        """The keys that the last reading had and this one has not, as rows."""
        missing = np.sort(self._order[~self._seen])
        names = self.before["key"].take(pa.array(missing)).to_pylist()
        return [dict(zip(self.keys, msgspec.json.decode(name), strict=True)) for name in names]

    def still_there(self, rows: Sequence[Row]) -> None:
        """Remember rows that were not listed and are not gone, as they were."""
        if rows:
            known = dict(zip(self.before["key"].to_pylist(), self.before["fingerprint"].to_pylist(), strict=True))
            names = [name_of(row, self.keys) for row in rows]
            self._keeper.add(pa.array(names, pa.string()), pa.array([known[name] for name in names], pa.int64()))

    def unlisted_as_they_were(self) -> None:
        """Remember all rows that were not listed, as they were."""
        missing = pa.array(np.sort(self._order[~self._seen]))
        left = self.before.take(missing).combine_chunks()
        for batch in left.to_batches():
            self._keeper.add(batch["key"], batch["fingerprint"])

    def close(self) -> str:
        """Keep this reading; its name for the state."""
        return self._keeper.close()

    def drop(self) -> None:
        """Keep nothing of this reading."""
        self._keeper.drop()

    def _once(self, rows: Sequence[Row]) -> list[Row]:
        fresh = []
        for row in rows:
            digest = _digest(name_of(row, self.keys))
            if digest in self._met:
                self.twice += 1
            else:
                self._met.add(digest)
                fresh.append(row)
        return fresh

    def _encoded(self, row: Row) -> bytes:
        return _PLAIN({name: value for name, value in row.items() if name not in self.volatile})


def name_of(row: Row, keys: Sequence[str]) -> str:
    """The key of a row as the memory has it: a compact JSON array."""
    return _PLAIN([row.get(key) for key in keys]).decode()


def _digest(name: Any) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little", signed=True)
