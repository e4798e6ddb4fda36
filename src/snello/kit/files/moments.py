"""Dates and times out of text.

Arrow's own parser is too trusting for this work (it turns 31/02/2024 into the 2nd of March), so its result counts only
for texts of the format's exact shape that name the day it found; the rest is tried with Python's strict parsers.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.kit.files.layout import Column

DAY = 86_400_000_000
LAST_DAY = (date.max - date(1970, 1, 1)).days
STAMP = pa.timestamp("us", "UTC")
PARTS = {
    "%d": "(?:0[1-9]|[12][0-9]|3[01])",
    "%m": "(?:0[1-9]|1[0-2])",
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%H": "(?:[01][0-9]|2[0-3])",
    "%M": "[0-5][0-9]",
    "%S": "[0-5][0-9]",
}
FIRST_YEAR = pa.scalar(datetime(1, 1, 1), pa.timestamp("s"))


@cache
def _proof(form: str) -> tuple[str, int] | None:
    """The shape of texts of this format and the place of the day in them, when every part has its own fixed width."""
    shape, place, day = "^", 0, -1
    for part in re.findall("%.|[^%]", form):
        known = PARTS.get(part)
        if known is None and part.startswith("%"):
            return None
        day = place if part == "%d" else day
        shape += known or re.escape(part)
        place += (4 if part == "%Y" else 2) if known else 1
    whole = all(form.count(part) == 1 for part in ("%d", "%m")) and form.count("%Y") + form.count("%y") == 1
    return (f"{shape}$", day) if whole else None


def _stamps(text: pa.Array, form: str) -> pa.Array:
    """Naive timestamps by format, null where they are not proven to be what the text says."""
    proof = _proof(form)
    if proof is None:
        return pa.nulls(len(text), pa.timestamp("s"))
    shape, day = proof
    nothing = pa.scalar(None, pa.string())
    fitting = pc.if_else(pc.match_substring_regex(text, shape), text, nothing)
    stamps = pc.strptime(fitting, format=form, unit="s", error_is_null=True)
    days = pc.utf8_slice_codeunits(fitting, day, day + 2).cast(pa.int64())
    proven = pc.and_(pc.equal(pc.day(stamps), days), pc.greater_equal(stamps, FIRST_YEAR))
    return pc.if_else(proven, stamps, pa.scalar(None, pa.timestamp("s")))


def _cast_or_nulls(text: pa.Array, kind: pa.DataType) -> pa.Array:
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        return pa.nulls(len(text), kind)


def dates(text: pa.Array, column: Column) -> pa.Array:
    """Dates of the calendar."""
    if column.date_format:
        return _stamps(text, column.date_format).cast(pa.date32())
    return _cast_or_nulls(text, pa.date32())


def one_date(value: str, column: Column) -> date | None:
    """A date; a time of day other than midnight makes it something else."""
    stamp = datetime.strptime(value, column.date_format) if column.date_format else datetime.fromisoformat(value)
    return stamp.date() if stamp.time() == time() else None


def date_times(text: pa.Array, column: Column) -> pa.Array:
    """Moments in UTC."""
    if not column.date_format:
        zoned = _cast_or_nulls(text, STAMP)
        if zoned.null_count == text.null_count:
            return zoned
        naive = _cast_or_nulls(text, pa.timestamp("us"))
    else:
        naive = _stamps(text, column.date_format).cast(pa.timestamp("us"))
    return localised(naive, column.timezone or "UTC")


def one_date_time(value: str, column: Column) -> datetime:
    """A moment in UTC; its own offset wins over the column's time zone."""
    stamp = datetime.strptime(value, column.date_format) if column.date_format else datetime.fromisoformat(value)
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=ZoneInfo(column.timezone or "UTC"))
    return stamp.astimezone(UTC)


def localised(naive: pa.Array, zone: str) -> pa.Array:
    """Local times as UTC; the first of the two hours when clocks go back.

    The zone's rules come from Python, which brings its own tables where the system has none, and are asked once a day
    of the calendar, not once a value.
    """
    if zone == "UTC":
        return naive.cast(STAMP)
    micros = pc.fill_null(naive.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    days, where = np.unique(micros // DAY, return_inverse=True)
    offsets = [_offset(int(day), zone) for day in days]
    shift = np.array([offset or 0 for offset in offsets], dtype=np.int64)[where]
    changing = np.array([offset is None for offset in offsets])[where]
    for index in np.flatnonzero(changing):
        local = datetime.fromtimestamp(micros[index] / 1e6, UTC).replace(tzinfo=ZoneInfo(zone))
        shift[index] = round((local.utcoffset() or local - local).total_seconds() * 1e6)
    utc = pa.array(micros - shift, mask=pc.is_null(naive).to_numpy(zero_copy_only=False))
    return utc.cast(pa.timestamp("us")).cast(STAMP)


@cache
def _offset(day: int, zone: str) -> int | None:
    """Microseconds ahead of UTC all day long, or none on a day on which that changes."""
    whens = (day, min(day + 1, LAST_DAY))
    ends = [datetime.fromtimestamp(86_400 * when, UTC).replace(tzinfo=ZoneInfo(zone)) for when in whens]
    first, last = (round((end.utcoffset() or end - end).total_seconds() * 1e6) for end in ends)
    return first if first == last else None


def times(text: pa.Array, _column: Column) -> pa.Array:
    """Left to the parser of single values: a chunk holds few distinct times of day."""
    return pa.nulls(len(text), pa.string())


def one_time(value: str, column: Column) -> str:
    """A time of day as ISO text."""
    moment = datetime.strptime(value, column.date_format).time() if column.date_format else time.fromisoformat(value)
    return moment.isoformat()
