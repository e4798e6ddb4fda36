"""Keys of rows as text, so that any two readings can be compared: compact JSON arrays of the key's values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from snello.kit.records import jsonable
from snello.kit.sql.types import Column, Kind

# Kinds whose values in the lake are those that the database knows them by.
_SAME = {Kind.INTEGER, Kind.DECIMAL, Kind.TEXT, Kind.UUID, Kind.DATE, Kind.INSTANT}


def nameable(columns: Sequence[Column]) -> bool:
    """Whether a row can be asked for by its key as the lake has it."""
    return all(column.kind in _SAME for column in columns)


def written(rows: pa.Table, keys: Sequence[str]) -> pa.Array:
    """One text a row; rows without a value in a part of the key are left out: they are no one's."""
    table = rows.select(list(keys))
    for name in keys:
        if table.column(name).null_count:
            table = table.filter(table.column(name).is_valid())
    if len(keys) == 1 and pa.types.is_integer(table.schema.types[0]):
        texts = pc.binary_join_element_wise("[", table.column(0).cast(pa.string()), "]", "")
        return pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], pa.string())
    columns = [jsonable(table.column(name)) for name in keys]
    encode = msgspec.json.Encoder().encode
    return pa.array([encode(row) for row in zip(*columns, strict=True)], pa.binary()).cast(pa.string())


def read(texts: pa.Array, columns: Sequence[Column]) -> tuple[list[list[Any]], list[pa.Array]]:
    """The values of keys: row by row as texts name them, and as the lake's columns."""
    decode = msgspec.json.Decoder(list[Any]).decode
    rows = [decode(text) for text in texts.to_pylist()]
    arrays = [
        pa.array([row[place] for row in rows], pa.string() if rows and isinstance(rows[0][place], str) else None)
        for place in range(len(columns))
    ]
    return rows, [array.cast(column.arrow) for array, column in zip(arrays, columns, strict=True)]
