"""What one run reads of a table: which ranges, in which order, and from where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from snello.kit.sql import bookmarks
from snello.kit.sql.ahead import together
from snello.kit.sql.chunks import Chunk, Outline
from snello.kit.sql.host import Host
from snello.kit.sql.parts import Parts, bounds, divided, divisible
from snello.kit.sql.query import Range
from snello.kit.sql.tables import Table


class Reading:
    """The rows of a table that a state has not seen.

    - ``key``: the replication key, None for a table that is read whole
    - ``state``: of the stream; moves on with ``advance``, after the rows were written
    """

    def __init__(self, host: Host, table: Table, outline: Outline, key: str | None, state: dict[str, Any]) -> None:
        self.host, self.table, self.outline, self.key = host, table, outline, key
        self.state, self.counts = state, Counter[str]()
        self._parts = Parts([Range(outline.order)])

    def chunks(self, size: int) -> Iterator[tuple[Range, Chunk]]:
        """Chunks, those of one range in key order, each with its range; rows without a key come first."""
        unique = bool(self.outline.keys)
        found = bookmarks.unfinished(self.state, self.outline.order, unique=unique)
        if found is None:
            yield from self._keyless(size)
            found = Parts(self._ranges(unique))
        self._parts = found
        at_once, reader = self.host.options.partitions, self.host.reader
        parts = self._parts.left
        if at_once == 1:
            for part in parts:
                yield from ((part, chunk) for chunk in reader.chunks(self.table, self.outline, part, size))
                self._parts.finish(part)
            return
        sources = [reader.chunks(self.table, self.outline, part, size) for part in parts]
        with closing(together(sources, at_once)) as arriving:
            for number, chunk in arriving:
                if chunk is None:
                    self._parts.finish(parts[number])
                else:
                    yield parts[number], chunk

    def _keyless(self, size: int) -> Iterator[tuple[Range, Chunk]]:
        """Rows without a value in a column of the order: no bookmark can speak of them, so every run reads them."""
        missing = Range(missing=tuple(name for name in self.outline.order if self.table.column(name).nullable))
        if missing.missing:
            for chunk in self.host.reader.chunks(self.table, replace(self.outline, order=()), missing, size):
                self.counts["keyless"] += chunk.rows.num_rows + len(chunk.refused)
                yield missing, chunk

    def _ranges(self, unique: bool) -> list[Range]:
        """From the beginning: the whole table, or from the bookmark to what is there now, in as many parts as asked."""
        rows = Range(self.outline.order, unique)
        if self.key is not None:
            since = bookmarks.since(self.table.column(self.key), self.state, self.host.clock)
            rows = replace(rows, since=since, until=self.host.reader.highest(self.table, self.key))
        count = self.host.options.partitions
        first = self.table.column(rows.order[0]) if rows.order else None
        if count == 1 or first is None or not divisible(first):
            return [rows]
        lowest, highest = self.host.reader.bounds(self.table, rows)
        return divided(rows, bounds(first, lowest, highest, count))

    def advance(self, rows: Range, chunk: Chunk) -> None:
        """Write down that a chunk was sent, and all of its range before it."""
        if chunk.after is not None:
            self._parts.advance(rows, chunk.after)
            bookmarks.note(self.state, self._parts)

    def finish(self) -> None:
        """Write down that the reading came to its end."""
        last = self._parts.last
        if self.key is not None and last:
            value = bookmarks.bookmark(self.table.column(self.key), last[0], self.host.clock)
            self.state.update(replication_key=self.key, replication_key_value=value)
        bookmarks.finish(self.state)
