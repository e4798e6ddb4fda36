"""Smallest and largest key of a file: what tells, without reading it, that it cannot hold a given key.

Only what is exact counts. A type whose order differs between engines (floats with NaN, booleans), a long string that
another writer may have cut, a timestamp that another writer may have rounded: no bounds, so the file is read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

Bounds = dict[str, tuple[Any, Any]]

OURS = "snello-"  # file names by this package: their bounds are exact
LONGEST = 128  # longer strings would bloat the log
_UNCUT = 32  # other writers keep strings shorter than this whole
_EXACT_JSON = 2**53


@dataclass(frozen=True)
class LiveFile:
    """A data file of one version of a table and the bounds of its key columns."""

    name: str
    size: int
    rows: int
    bounds: Bounds


def bounds_of(columns: pa.Table | pa.RecordBatch, keys: Sequence[str]) -> Bounds:
    """Exact bounds of the key columns; a column without any is left out."""
    found: Bounds = {}
    for key in keys:
        column = columns.column(key)
        if not _ordered(column.type) or not len(column):
            continue
        try:
            extremes = pc.min_max(column).as_py()
        except (ValueError, OverflowError):  # a date that Python has no value for
            continue
        if extremes["min"] is not None:
            found[key] = extremes["min"], extremes["max"]
    return found


def union(left: Bounds, right: Bounds) -> Bounds:
    """Bounds of two sets of rows taken together; a column that one of them lacks is lost."""
    return {key: (min(left[key][0], right[key][0]), max(left[key][1], right[key][1])) for key in left if key in right}


def disjoint(left: Bounds, right: Bounds) -> bool:
    """Whether no key can be on both sides: some key column's ranges do not meet."""
    return any(left[key][1] < right[key][0] or right[key][1] < left[key][0] for key in left.keys() & right.keys())


def live_files(table: DeltaTable, keys: Sequence[str]) -> list[LiveFile]:
    """The data files of the version that ``table`` stands at."""
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return [
        LiveFile(
            name=action["path"],
            size=action["size_bytes"],
            rows=action["num_records"] or 0,
            bounds={
                key: (low, high)
                for key in keys
                if (low := action.get(f"min.{key}")) is not None
                and (high := action.get(f"max.{key}")) is not None
                and (action["path"].startswith(OURS) or (_trusted(low) and _trusted(high)))
            },
        )
        for action in actions
    ]


def statistics(rows: int, bounds: Bounds) -> str:
    """Bounds as the statistics of a Delta add action; those that JSON cannot carry exactly are left out."""
    kept = {key: (low, high) for key, (low, high) in bounds.items() if _exact(low) and _exact(high)}
    return json.dumps(
        {
            "numRecords": rows,
            "minValues": {key: _plain(low) for key, (low, _) in kept.items()},
            "maxValues": {key: _plain(high) for key, (_, high) in kept.items()},
            "nullCount": {},
        },
        ensure_ascii=False,  # delta-rs reads escaped surrogate pairs as other characters
    )


def _ordered(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_string(kind)
        or types.is_date32(kind)
        or types.is_decimal(kind)
        or (types.is_timestamp(kind) and kind.unit == "us")
    )


def _trusted(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) < _UNCUT
    return isinstance(value, int) or (isinstance(value, date) and not isinstance(value, datetime))


def _exact(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST
    if isinstance(value, Decimal):
        return value == value.to_integral_value() and abs(value) < _EXACT_JSON
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, Decimal) else value
