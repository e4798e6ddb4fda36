"""Text to typed values, a column at a time: fast in Arrow where the shape is clear, value by value where it is not."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from snello.kit.files import moments, numerals
from snello.kit.files.layout import Column

Many = Callable[[pa.Array, Column], pa.Array]
One = Callable[[str, Column], object]


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type of a column's values."""
    if column.type == "decimal":
        return pa.decimal128(column.precision, column.scale)
    return _TYPES.get(column.type, pa.string())


_TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "date-time": moments.STAMP,
}


def parse(text: pa.Array, column: Column) -> tuple[pa.Array, pa.Array | None]:
    """Typed values of a text column and, when some are bad (null in the result), which ones."""
    if column.type not in ("string", "json"):
        text = pc.utf8_trim_whitespace(text)
    nulls = pa.array(column.null_values if column.null_values is not None else ("",), pa.string())
    text = pc.if_else(pc.is_in(text, value_set=nulls), pa.scalar(None, pa.string()), text)
    if column.type not in _PARSERS:
        return text, None
    many, one = _PARSERS[column.type]
    return _settled(text, many(text, column), lambda value: one(value, column))


def expected(column: Column) -> str:
    """What a bad value was expected to be, in the words of the layout."""
    if column.type == "decimal":
        return f"{column.name}: not a decimal of {column.precision} digits, {column.scale} after the mark"
    shape = f" like {column.date_format}" if column.date_format and column.type in ("date", "date-time", "time") else ""
    article = "an" if column.type == "integer" else "a"
    return f"{column.name}: not {article} {column.type}{shape}"


def _settled(text: pa.Array, fast: pa.Array, one: Callable[[str], object]) -> tuple[pa.Array, pa.Array | None]:
    unsure = pc.and_(pc.is_null(fast), pc.is_valid(text))
    if not unsure.true_count:
        return fast, None
    left = text.filter(unsure)
    known = {value: _or_none(one, value) for value in pc.unique(left).to_pylist()}
    found = pa.array([known[value] for value in left.to_pylist()], fast.type)
    settled = pc.replace_with_mask(fast, unsure, found)
    bad = pc.and_(pc.is_null(settled), pc.is_valid(text))
    return settled, bad if bad.true_count else None


def _or_none(one: Callable[[str], object], value: str) -> object:
    try:
        return one(value)
    except (ValueError, OverflowError):
        return None


def _no_other(_value: str, _column: Column) -> None:
    return None


_PARSERS: dict[str, tuple[Many, One]] = {
    "integer": (numerals.integers, numerals.one_integer),
    "decimal": (numerals.decimals, _no_other),
    "number": (numerals.numbers, _no_other),
    "boolean": (numerals.booleans, _no_other),
    "date": (moments.dates, moments.one_date),
    "date-time": (moments.date_times, moments.one_date_time),
    "time": (moments.times, moments.one_time),
}
