"""Parquet: columns as they are, cast to the declared types where a cast loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec.json import encode

from snello.errors import ContractError
from snello.kit.files.chunks import CHUNK_ROWS, Chunk
from snello.kit.files.drift import Drift, objects
from snello.kit.files.headers import ABSENT, positions, undeclared
from snello.kit.files.layout import Column
from snello.kit.files.moments import localised
from snello.kit.files.values import arrow_type


def _opened(raw: IO[bytes], where: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(raw)
    except pa.ArrowInvalid:
        raise ContractError(where, "not a Parquet file", "mend the file, or set another format") from None


def read(raw: IO[bytes], columns: tuple[Column, ...], where: str, drift: Drift) -> Iterator[Chunk]:
    """The rows of a Parquet file. Raises ``ContractError`` when it lacks a column."""
    file = _opened(raw, where)
    names = file.schema_arrow.names
    picked = positions(names, columns, where)
    wanted = [names[index] if index != ABSENT else None for index in picked]
    others = drift.kept(name for name in undeclared(names, picked) if name in names)
    line = 1
    for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=[*filter(None, wanted), *others]):
        values = [
            pa.nulls(batch.num_rows, pa.string()) if name is None else _cast(batch.column(name), column)
            for name, column in zip(wanted, columns, strict=True)
        ]
        extra = objects({name: batch.column(name).to_pylist() for name in others}, batch.num_rows)
        yield Chunk(values, list(range(line, line + batch.num_rows)), extra=extra)
        line += batch.num_rows


def columns_of(raw: IO[bytes], where: str) -> tuple[Column, ...]:
    """The file's own columns and types."""
    schema = _opened(raw, where).schema_arrow
    return tuple(Column.model_validate({"name": field.name, **_kind(field.type)}) for field in schema)


def _kind(kind: pa.DataType) -> dict[str, object]:
    if pa.types.is_decimal(kind):
        return {"type": "decimal", "precision": min(kind.precision, 38), "scale": kind.scale}
    tests = {
        "integer": pa.types.is_integer,
        "number": pa.types.is_floating,
        "boolean": pa.types.is_boolean,
        "date": pa.types.is_date,
        "date-time": pa.types.is_timestamp,
        "json": pa.types.is_nested,
    }
    return {"type": next((name for name, test in tests.items() if test(kind)), "string")}


def _cast(values: pa.Array, column: Column) -> pa.Array:
    """The declared type where the cast is exact; else text, for the parser to judge value by value."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    wanted = arrow_type(column)
    if pa.types.is_nested(values.type):
        return pa.array(
            [None if v is None else encode(v, enc_hook=str).decode() for v in values.to_pylist()], pa.string()
        )
    if pa.types.is_timestamp(values.type) and values.type.tz is None and column.type == "date-time":
        return localised(values.cast(pa.timestamp("us")), column.timezone or "UTC")
    if pa.types.is_string(values.type) and not pa.types.is_string(wanted):
        return values
    try:
        return pc.cast(values, wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pc.cast(values, pa.string())
