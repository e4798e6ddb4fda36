"""How the schema of a table grows: new columns, wider types, and nothing that loses a value."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from snello.errors import ContractError

MOST_DIGITS = 38  # of a decimal128


@dataclass(frozen=True)
class Growth:
    """What an incoming schema asks of a table: columns to add, and columns to rewrite with a wider type."""

    schema: pa.Schema
    added: tuple[pa.Field, ...]
    widened: tuple[str, ...]


def growth(table: pa.Schema, incoming: pa.Schema, where: str) -> Growth:
    """The schema that holds both; raises ``ContractError`` where no type holds both without loss."""
    fields: dict[str, pa.Field] = {field.name: field for field in table}
    added, widened = [], []
    for field in incoming:
        known = fields.get(field.name)
        if known is None:
            fields[field.name] = field
            added.append(field)
            continue
        wider = holding_both(known.type, field.type)
        if wider is None:
            raise ContractError(
                where,
                f"column {field.name!r} is {known.type} in the lake and {field.type} now",
                "rename it in the tap, or move the table away and load the stream again",
            )
        if wider != known.type:
            fields[field.name] = pa.field(field.name, wider)
            widened.append(field.name)
    return Growth(pa.schema(list(fields.values())), tuple(added), tuple(widened))


def holding_both(old: pa.DataType, new: pa.DataType) -> pa.DataType | None:
    """The type that holds the values of both without loss, if there is one."""
    if old == new:
        return old
    for narrow, wide in ((old, new), (new, old)):
        if pa.types.is_string(wide) and _as_text(narrow):
            return wide
        if pa.types.is_date32(narrow) and pa.types.is_timestamp(wide):
            return wide
        if pa.types.is_int64(narrow) and (pa.types.is_float64(wide) or pa.types.is_decimal(wide)):
            return wide if pa.types.is_float64(wide) else _decimal(19, 0, wide)
    if pa.types.is_decimal(old) and pa.types.is_decimal(new):
        return _decimal(old.precision, old.scale, new)
    return None


def _as_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_int64(kind)
        or types.is_float64(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
        or types.is_date32(kind)
        or types.is_timestamp(kind)
    )


def _decimal(precision: int, scale: int, other: pa.DataType) -> pa.DataType | None:
    whole = max(precision - scale, other.precision - other.scale)
    fraction = max(scale, other.scale)
    return pa.decimal128(whole + fraction, fraction) if whole + fraction <= MOST_DIGITS else None
