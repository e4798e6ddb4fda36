"""Arrow columns as a database sends them, made into those of the lake: exactly, or not at all.

Every function takes a column and returns the lake's array and the rows that it cannot hold (None when it holds all,
which is found out without looking at single values).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.kit.sql.chunks import Mask
from snello.kit.sql.types import DECIMAL_DIGITS, UTC_MICROSECONDS, Column, Kind

Fitted = tuple[pa.Array, Mask | None]

FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # 0001-01-01, 9999-12-31
FIRST_MICROSECOND, LAST_MICROSECOND = -62_135_596_800_000_000, 253_402_300_799_999_999
ARROW_KNOWS_CLOCKS_UNTIL = 2_145_916_800_000_000  # 2038-01-01: later, Arrow leaves summer time out


def fitted(column: Column, raw: pa.Array, zone: ZoneInfo) -> Fitted:
    """The column as the lake holds it, and the rows that do not fit."""
    if isinstance(raw, pa.ExtensionArray):
        raw = raw.storage
    if column.kind is Kind.LOCAL and raw.type.tz is None:
        return _local(raw, zone)
    return _FITS.get(column.kind, _same)(column, raw)


def _same(_column: Column, raw: pa.Array) -> Fitted:
    return raw, None


def _number(_column: Column, raw: pa.Array) -> Fitted:
    finite = pc.is_finite(raw)
    if pc.all(finite).as_py() is not False:
        return raw, None
    return _without(raw, _mask(pc.invert(finite)))


def _decimal(column: Column, raw: pa.Array) -> Fitted:
    try:
        if pa.types.is_string(raw.type) and (pc.max(pc.utf8_length(raw)).as_py() or 0) > DECIMAL_DIGITS:
            raise pa.ArrowInvalid("a longer text may overflow in the cast, which does not notice")
        return pc.cast(raw, column.arrow), None
    except pa.ArrowInvalid:
        values = [_decimal_of(text, column.arrow) for text in raw.to_pylist()]
        unfit = np.array([value is False for value in values], dtype=bool)
        return pa.array([None if value is False else value for value in values], column.arrow), unfit


def _decimal_of(text: str | None, type_: pa.DataType) -> Decimal | bool | None:
    """The value, or False when the type cannot hold it exactly."""
    if text is None:
        return None
    try:
        value = Decimal(text)
        pa.scalar(value, type_)
    except (InvalidOperation, pa.ArrowInvalid):
        return False
    return value


def _date(_column: Column, raw: pa.Array) -> Fitted:
    return _between(raw, pa.int32(), FIRST_DAY, LAST_DAY)


def _instant(_column: Column, raw: pa.Array) -> Fitted:
    return _between(raw.cast(UTC_MICROSECONDS), pa.int64(), FIRST_MICROSECOND, LAST_MICROSECOND)


def _between(raw: pa.Array, numbers: pa.DataType, first: int, last: int) -> Fitted:
    """Out of the years 1 to 9999 stand infinity too, and what other readers of the lake would misread."""
    plain = raw.view(numbers)
    bounds = pc.min_max(plain)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    if low is None or (low >= first and high <= last):
        return raw, None
    return _without(raw, _mask(pc.or_(pc.less(plain, first), pc.greater(plain, last))))


def _local(raw: pa.Array, zone: ZoneInfo) -> Fitted:
    """Local times as instants. An hour that the clock showed twice is the first; one that it skipped is
    taken as if the clock had not yet been put forward."""
    raw, early = _between(raw, pa.int64(), FIRST_MICROSECOND, LAST_MICROSECOND)
    if zone.key == "UTC":
        return raw.cast(UTC_MICROSECONDS), early
    last = pc.max(raw.view(pa.int64())).as_py()
    try:
        if last is not None and last >= ARROW_KNOWS_CLOCKS_UNTIL:
            raise pa.ArrowInvalid("beyond Arrow's knowledge")
        aware = pc.assume_timezone(raw, zone.key, ambiguous="earliest", nonexistent="raise").cast(UTC_MICROSECONDS)
    except pa.ArrowInvalid:  # or a skipped hour, or a machine without time zone files for Arrow
        aware = pa.array([_instant_of(value, zone) for value in raw.to_pylist()], pa.int64()).view(UTC_MICROSECONDS)
    aware, late = _between(aware, pa.int64(), FIRST_MICROSECOND, LAST_MICROSECOND)
    masks = [mask for mask in (early, late) if mask is not None]
    return aware, np.logical_or.reduce(masks) if masks else None


def _instant_of(value: datetime | None, zone: ZoneInfo) -> int | None:
    """Microseconds since 1970; in the first and last hours of time this may leave the range, not raise."""
    if value is None:
        return None
    offset = value.replace(tzinfo=zone).utcoffset() or timedelta()
    since = value - datetime(1970, 1, 1) - offset
    return since // timedelta(microseconds=1)


def _bytes(_column: Column, raw: pa.Array) -> Fitted:
    values = (None if value is None else base64.b64encode(value).decode() for value in raw.to_pylist())
    return pa.array(values, pa.string()), None


def checked_text(raw: pa.Array) -> Fitted:
    """Text of a database that does not check it: rows that are not UTF-8 do not fit."""
    try:
        raw.validate(full=True)
    except pa.ArrowInvalid:
        return _without_broken_text(raw)
    return raw, None


def _without_broken_text(raw: pa.Array) -> Fitted:
    values: list[str | None] = []
    unfit = np.zeros(len(raw), dtype=bool)
    for index, value in enumerate(raw.view(pa.binary()).to_pylist()):
        try:
            values.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            values.append(None)
            unfit[index] = True
    return pa.array(values, pa.string()), unfit


def _mask(found: pa.BooleanArray) -> Mask:
    mask: Mask = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return mask


def _without(raw: pa.Array, unfit: Mask) -> Fitted:
    return pc.if_else(pa.array(unfit), pa.scalar(None, raw.type), raw), unfit


_FITS: dict[Kind, Callable[[Column, pa.Array], Fitted]] = {
    Kind.NUMBER: _number,
    Kind.DECIMAL: _decimal,
    Kind.DATE: _date,
    Kind.INSTANT: _instant,
    Kind.LOCAL: _instant,
    Kind.BYTES: _bytes,
}
