"""Arrow types as a Delta table keeps them: the few that DuckDB, delta-rs and Spark read alike."""

from __future__ import annotations

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", "UTC")


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema with every type replaced by the one that the lake keeps; all columns may be null."""
    return pa.schema([pa.field(field.name, plain(field.type)) for field in schema])


def plain(kind: pa.DataType) -> pa.DataType:
    """The type in which the lake keeps values of ``kind``."""
    types = pa.types
    if types.is_dictionary(kind):
        return plain(kind.value_type)
    if types.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    if types.is_uint64(kind):
        return pa.decimal128(20, 0)
    if types.is_unsigned_integer(kind):
        return pa.int64()
    if types.is_date(kind):
        return pa.date32()
    if types.is_decimal(kind):
        return pa.decimal128(min(kind.precision, 38), kind.scale)
    if types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return pa.binary()
    return _nested(kind)


def _nested(kind: pa.DataType) -> pa.DataType:
    types = pa.types
    if types.is_map(kind):
        return pa.map_(plain(kind.key_type), plain(kind.item_type))
    if types.is_struct(kind):
        return pa.struct([pa.field(part.name, plain(part.type)) for part in kind])
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(plain(kind.value_type))
    if types.is_signed_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_binary(kind):
        return kind
    return pa.string()  # text in all its forms, times, nulls of no type
