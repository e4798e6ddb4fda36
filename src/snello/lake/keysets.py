"""The keys of a batch as a set: which rows of another table carry one of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.lake.bounds import Bounds, bounds_of

_ROW = "__row__"


class KeySet:
    """Distinct, non-null keys of one or more columns."""

    def __init__(self, table: pa.Table, keys: Sequence[str]) -> None:
        self.columns: pa.Table = table.select(list(keys))
        self.keys = list(keys)
        self.bounds: Bounds = bounds_of(self.columns, keys)

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the key columns."""
        return self.columns.schema

    def held_by(self, table: pa.Table) -> pa.BooleanArray:
        """For each row of ``table``, which has the key columns, whether its key is in the set."""
        if len(self.keys) == 1:
            return _joined(pc.is_in(table.column(0), value_set=_joined(self.columns.column(0))))
        numbered = table.append_column(_ROW, pa.array(np.arange(table.num_rows)))
        matched = numbered.join(self.columns, self.keys, join_type="left semi").column(_ROW)
        return _joined(pc.is_in(numbered.column(_ROW), value_set=_joined(matched)))


def distinct(table: pa.Table, keys: Sequence[str], keep: str = "last") -> pa.Table:
    """The table without earlier (or, keeping ``first``, later) rows of the same key; the order of the rest stays."""
    if ascending(table, keys):
        return table
    numbered = table.select(list(keys)).append_column(_ROW, pa.array(np.arange(table.num_rows)))
    pick = "max" if keep == "last" else "min"
    rows = numbered.group_by(list(keys)).aggregate([(_ROW, pick)]).column(f"{_ROW}_{pick}")
    return table if len(rows) == table.num_rows else table.take(_joined(rows).sort())


def unique(table: pa.Table, keys: Sequence[str]) -> bool:
    """Whether no key is null and none occurs twice."""
    if any(table.column(key).null_count for key in keys):
        return False
    return ascending(table, keys) or table.select(list(keys)).group_by(list(keys)).aggregate([]).num_rows == len(table)


def ascending(table: pa.Table, keys: Sequence[str]) -> bool:
    """Whether a single key column rises strictly from row to row: the cheap proof that it is unique."""
    if len(keys) != 1:
        return False
    column = _joined(table.column(keys[0]))
    if len(column) < 2:
        return True
    return bool(pc.all(pc.greater(column.slice(1), column.slice(0, len(column) - 1))).as_py())


def _joined(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
