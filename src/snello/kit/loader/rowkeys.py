"""Keys for streams without one: what a row says, and which of the rows that say the same it is within the run.

A run that sends the same rows again finds them there; two equal rows of one run are both kept. Rows that are equal
and come in different runs cannot be told from one row sent twice, and are one.
"""

from __future__ import annotations

from hashlib import md5

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.kit.loader.columns import EXTRACTED_AT, ROW_KEY

_LEVELS = 2  # a new level is merged into the one before when that one is at most this many times larger


class RowKeys:
    """Numbers the equal rows of one run; remembers 12 bytes a distinct row."""

    def __init__(self) -> None:
        self._levels: list[tuple[np.ndarray, np.ndarray]] = []

    def added_to(self, table: pa.Table) -> pa.Table:
        """The table with its row keys in a column of their own."""
        digests = _digests(table)
        short = np.frombuffer(b"".join(digests), np.uint64)[::2]
        distinct, inverse, counts = np.unique(short, return_inverse=True, return_counts=True)
        ordinals = self._seen(distinct)[inverse] + _running_count(inverse)
        self._remember(distinct, counts.astype(np.uint32))
        keys = [
            digest.hex() if ordinal == 0 else f"{digest.hex()}-{ordinal}"
            for digest, ordinal in zip(digests, ordinals.tolist(), strict=True)
        ]
        return table.append_column(ROW_KEY, pa.array(keys, pa.string()))

    def _seen(self, distinct: np.ndarray) -> np.ndarray:
        found = np.zeros(len(distinct), np.int64)
        for known, counts in self._levels:
            place = np.minimum(np.searchsorted(known, distinct), len(known) - 1)
            found += np.where(known[place] == distinct, counts[place], 0)
        return found

    def _remember(self, distinct: np.ndarray, counts: np.ndarray) -> None:
        self._levels.append((distinct, counts))
        while len(self._levels) > 1 and len(self._levels[-2][0]) <= _LEVELS * len(self._levels[-1][0]):
            (left, left_counts), (right, right_counts) = self._levels[-2:]
            merged, inverse = np.unique(np.concatenate([left, right]), return_inverse=True)
            summed = np.bincount(inverse, np.concatenate([left_counts, right_counts])).astype(np.uint32)
            self._levels[-2:] = [(merged, summed)]


def _running_count(groups: np.ndarray) -> np.ndarray:
    """For each element, how many equal ones stand before it."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    counts = np.empty(len(groups), np.int64)
    counts[order] = np.arange(len(groups)) - np.repeat(starts, lengths)
    return counts


def _digests(table: pa.Table) -> list[bytes]:
    """A digest of each row; nulls and the time of reading do not count, so that neither a new column changes it."""
    said = [
        _labelled(name, table.column(name).combine_chunks())
        for name in sorted(table.column_names)
        if name != EXTRACTED_AT
    ]
    if not said:
        return [md5(usedforsecurity=False).digest()] * table.num_rows
    texts = pc.binary_join_element_wise(*said, pa.scalar(b""))
    return [md5(text, usedforsecurity=False).digest() for text in texts.to_pylist()]


def _labelled(name: str, column: pa.Array) -> pa.Array:
    """Values as text with their column and their length, so that no two rows read alike; empty for null."""
    values = column.cast(pa.string()).cast(pa.binary())
    lengths = pc.binary_length(values).cast(pa.string()).cast(pa.binary())
    label = f"{len(name)}:{name}=".encode()
    return pc.fill_null(pc.binary_join_element_wise(pa.scalar(label), lengths, values, pa.scalar(b":")), b"")
