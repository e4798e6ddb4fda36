"""Numbers and truth values out of text, under the file's own marks; null where the text is something else."""

from __future__ import annotations

import re
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from snello.kit.files.layout import Column

TRUE = ("true", "True", "TRUE", "t", "T", "yes", "Yes", "YES", "y", "Y", "1")
FALSE = ("false", "False", "FALSE", "f", "F", "no", "No", "NO", "n", "N", "0")


def _digits(thousands: str | None) -> str:
    """Digits, with or without group marks; a misplaced mark is not overlooked: 1.5 never becomes 15."""
    return r"\d+" if thousands is None else rf"(?:\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+)"


def _only(text: pa.Array, shape: str) -> pa.Array:
    return pc.if_else(pc.match_substring_regex(text, shape), text, pa.scalar(None, pa.string()))


@cache
def _number_shape(decimal: str, thousands: str | None, exponent: bool) -> str:
    digits = _digits(thousands)
    power = r"(?:[eE][+-]?\d+)?" if exponent else ""
    mark = re.escape(decimal)
    return rf"^[+-]?(?:{digits}(?:{mark}\d*)?|{mark}\d+){power}$"


def _plain(text: pa.Array, column: Column, shape: str) -> pa.Array:
    """Numbers with a point and without group marks; null where the text is not of the shape."""
    text = _only(text, shape)
    if column.thousands:
        text = pc.replace_substring(text, column.thousands, "")
    if column.decimal:
        text = pc.replace_substring(text, column.decimal, ".")
    return pc.utf8_ltrim(text, "+")


def integers(text: pa.Array, column: Column) -> pa.Array:
    """Integers of up to 18 digits."""
    plain = _plain(text, column, rf"^[+-]?{_digits(column.thousands)}$")
    return _only(plain, r"^-?\d{1,18}$").cast(pa.int64())


def one_integer(value: str, column: Column) -> int | None:
    """An integer of any number of digits that 64 bits hold."""
    if not re.fullmatch(rf"[+-]?{_digits(column.thousands)}", value, re.ASCII):
        return None
    number = int(value.replace(column.thousands or "+", ""))
    return number if -(2**63) <= number < 2**63 else None


def decimals(text: pa.Array, column: Column) -> pa.Array:
    """Decimals that fit their precision and scale without rounding."""
    plain = _plain(text, column, _number_shape(column.decimal or ".", column.thousands, exponent=False))
    whole = column.precision - column.scale
    fits = rf"^-?0*\d{{0,{whole}}}(?:\.\d{{0,{column.scale}}}0*)?$"
    return _only(plain, fits).cast(pa.decimal128(column.precision, column.scale))


def numbers(text: pa.Array, column: Column) -> pa.Array:
    """Floating-point numbers, with or without an exponent."""
    return _plain(text, column, _number_shape(column.decimal or ".", column.thousands, exponent=True)).cast(
        pa.float64()
    )


def booleans(text: pa.Array, column: Column) -> pa.Array:
    """Truth values among the texts that mean one."""
    true = pc.is_in(text, value_set=pa.array(column.true_values or TRUE))
    false = pc.is_in(text, value_set=pa.array(column.false_values or FALSE))
    return pc.if_else(pc.or_(true, false), true, pa.scalar(None, pa.bool_()))
