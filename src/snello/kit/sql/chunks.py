"""Rows that travel together: those that fit the lake as one Arrow table, those that do not with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from snello.kit.quarantine import quarantined
from snello.kit.sql.types import Column, reason

CHUNK_BYTES = 128 * 2**20

Mask = npt.NDArray[np.bool_]
Cell = Callable[[int, int], Any]


@dataclass(frozen=True)
class Chunk:
    """Some rows of a stream.

    - ``refused``: rows that the lake's types cannot hold, as the quarantine takes them
    - ``after``: key of the last row that fits, as it goes into the state; None when the rows have no order
    """

    rows: pa.Table
    refused: list[dict[str, Any]] = field(default_factory=list)
    after: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Outline:
    """What the rows of one statement are: their stream, columns, order and primary key."""

    stream: str
    columns: Sequence[Column]
    order: tuple[str, ...]
    keys: tuple[str, ...]

    def schema(self) -> pa.Schema:
        """The lake's schema of these columns."""
        return pa.schema([pa.field(column.name, column.arrow) for column in self.columns])

    def chunk(self, arrays: Sequence[pa.Array], unfit: Sequence[Mask | None], cell: Cell) -> Chunk:
        """One chunk out of arrays of the lake's types.

        - ``unfit``: per column, the rows that it cannot hold, or None when it holds all
        - ``cell``: the value of a row and column as the database had it, ready for JSON
        """
        rows = pa.Table.from_arrays(list(arrays), schema=self.schema())
        last, refused = rows.num_rows - 1, []
        masks = [mask for mask in unfit if mask is not None]
        if masks:
            lost = np.logical_or.reduce(masks)
            refused = [self._refusal(int(index), unfit, cell) for index in np.flatnonzero(lost)]
            kept = np.flatnonzero(~lost)
            rows, last = rows.take(pa.array(kept)), int(kept[-1]) if len(kept) else -1
        after = tuple(cell(last, self._place(name)) for name in self.order) if self.order and last >= 0 else None
        return Chunk(rows, refused, after)

    def _place(self, name: str) -> int:
        return next(place for place, column in enumerate(self.columns) if column.name == name)

    def _refusal(self, row: int, unfit: Sequence[Mask | None], cell: Cell) -> dict[str, Any]:
        reasons = [
            f"{column.name}: {reason(column)}"
            for column, mask in zip(self.columns, unfit, strict=True)
            if mask is not None and mask[row]
        ]
        record = {column.name: cell(row, place) for place, column in enumerate(self.columns)}
        position = ", ".join(f"{name}={record[name]}" for name in self.keys) or "no key"
        position = position.encode("ascii", "backslashreplace").decode()
        text = json.dumps(record, ensure_ascii=True, default=str)
        return quarantined(self.stream, position, "; ".join(reasons), text)


def gathered(pieces: Iterable[Chunk], rows: int) -> Iterator[Chunk]:
    """Small chunks joined until they hold ``rows`` rows, or as many bytes as one file should."""
    waiting: list[Chunk] = []
    for piece in pieces:
        waiting.append(piece)
        held = sum(chunk.rows.num_rows for chunk in waiting)
        if held >= rows or sum(chunk.rows.nbytes for chunk in waiting) >= CHUNK_BYTES:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(chunks: list[Chunk]) -> Chunk:
    after = next((chunk.after for chunk in reversed(chunks) if chunk.after is not None), None)
    refused = [refusal for chunk in chunks for refusal in chunk.refused]
    return Chunk(pa.concat_tables([chunk.rows for chunk in chunks]), refused, after)
