"""Values as drivers hand them over, made into Arrow columns.

A whole column goes at once when all its values are of the type that fits; only else value by value. Values that a
column's type does not admit (SQLite lets any value into any column) are marked, never guessed at.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from snello.kit.sql.fit import Fitted
from snello.kit.sql.types import UTC_MICROSECONDS, Column, Kind

Convert = Callable[[Any, Column, ZoneInfo], Any]

NAIVE_MICROSECONDS = pa.timestamp("us")
NOISE = 1e-12  # by how much a float may differ, relatively, from the decimal that it stands for


def raw_array(column: Column, values: Sequence[Any], zone: ZoneInfo) -> Fitted:
    """An Arrow column out of driver values, and the rows whose value the column's type does not admit."""
    try:
        return _at_once(column, values), None
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return _one_by_one(column, values, zone)


def _at_once(column: Column, values: Sequence[Any]) -> pa.Array:
    kinds = set(map(type, values)) - {type(None)}
    if column.kind in {Kind.LOCAL, Kind.INSTANT}:
        if kinds <= {str}:
            return pa.array(values, pa.string()).cast(NAIVE_MICROSECONDS)
        if not kinds <= {datetime}:
            raise TypeError("not the driver's usual type")
        aware = {value.tzinfo is not None for value in values if value is not None}
        if aware == {True, False}:
            raise TypeError("times with and without a zone in one column")
        moments = UTC_MICROSECONDS if aware == {True} else NAIVE_MICROSECONDS
        return pa.array(values, moments)
    wanted = _WANTED.get(column.kind, {str})
    if not kinds <= wanted:
        raise TypeError("not the driver's usual type")
    return pa.array(values, pa.binary() if column.kind is Kind.BYTES else column.arrow)


_WANTED: dict[Kind, set[type]] = {
    Kind.BOOLEAN: {bool},
    Kind.INTEGER: {int},
    Kind.NUMBER: {float},
    Kind.DECIMAL: {Decimal},
    Kind.DATE: {date},
    Kind.BYTES: {bytes},
}


def _one_by_one(column: Column, values: Sequence[Any], zone: ZoneInfo) -> Fitted:
    unfit = np.zeros(len(values), dtype=bool)
    made: list[Any] = [None] * len(values)
    convert: Convert = _ONE.get(column.kind, _text)
    type_ = pa.binary() if column.kind is Kind.BYTES else column.arrow
    for index, value in enumerate(values):
        if value is None:
            continue
        try:
            made[index] = convert(value, column, zone)
            pa.scalar(made[index], type_)
        except (ValueError, TypeError, OverflowError, InvalidOperation, pa.ArrowException):
            made[index], unfit[index] = None, True
    return pa.array(made, type_), unfit if unfit.any() else None


def _boolean(value: Any, _column: Column, _zone: ZoneInfo) -> bool:
    if value in (0, 1):
        return bool(value)
    raise ValueError("not a boolean")


def _integer(value: Any, _column: Column, _zone: ZoneInfo) -> int:
    if isinstance(value, str) or value != int(value):
        raise ValueError("not an integer")
    return int(value)


def _number(value: Any, _column: Column, _zone: ZoneInfo) -> float:
    if isinstance(value, str) or (isinstance(value, int) and int(float(value)) != value):
        raise ValueError("not a number that a float holds")
    return float(value)


def _decimal(value: Any, column: Column, _zone: ZoneInfo) -> Decimal:
    if not isinstance(value, float):
        return Decimal(value)
    exact = Decimal(repr(value))
    near = round(exact, column.arrow.scale)
    return near if abs(near - exact) <= abs(exact) * Decimal(NOISE) else exact


def _date(value: Any, _column: Column, _zone: ZoneInfo) -> date:
    if isinstance(value, str):
        value = date.fromisoformat(value) if len(value) <= len("2024-12-31") else datetime.fromisoformat(value)
    if isinstance(value, datetime):
        if value.timetz() != time():
            raise ValueError("a date with a time of day")
        return value.date()
    if isinstance(value, date):
        return value
    raise ValueError("not a date")


def _moment(value: Any, column: Column, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise ValueError("not a timestamp")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone if column.kind is Kind.LOCAL else UTC)
    return moment.astimezone(UTC)


def _time(value: Any, _column: Column, _zone: ZoneInfo) -> str:
    return value.isoformat() if isinstance(value, time) else str(value)


def _blob(value: Any, _column: Column, _zone: ZoneInfo) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(memoryview(value))


def _json(value: Any, column: Column, zone: ZoneInfo) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return _text(value, column, zone)


def _text(value: Any, _column: Column, _zone: ZoneInfo) -> str:
    text = bytes(value).decode() if isinstance(value, bytes | bytearray | memoryview) else str(value)
    text.encode()
    return text


_ONE: dict[Kind, Convert] = {
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.DECIMAL: _decimal,
    Kind.DATE: _date,
    Kind.LOCAL: _moment,
    Kind.INSTANT: _moment,
    Kind.TIME: _time,
    Kind.BYTES: _blob,
    Kind.JSON: _json,
    Kind.ARRAY: _json,
}


def to_state(value: Any) -> Any:
    """A driver's value as the state and the quarantine can hold it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


_FROM_STATE: dict[Kind, Callable[[str], Any]] = {
    Kind.DECIMAL: Decimal,
    Kind.DATE: date.fromisoformat,
    Kind.LOCAL: datetime.fromisoformat,
    Kind.INSTANT: datetime.fromisoformat,
    Kind.TIME: time.fromisoformat,
    Kind.UUID: UUID,
    Kind.BYTES: base64.b64decode,
}


def from_state(column: Column, value: Any) -> Any:
    """The driver's value that a state holds."""
    convert = _FROM_STATE.get(column.kind)
    try:
        return convert(value) if convert and isinstance(value, str) else value
    except (ValueError, InvalidOperation):
        return value  # MySQL's 0000-00-00 is no date and yet a key: it goes back as the text that it came as
