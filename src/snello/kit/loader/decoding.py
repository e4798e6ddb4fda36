"""Records into columns: a batch at once where all of it fits, row by row where something does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any

import msgspec
import pyarrow as pa

from snello.kit.loader.columns import EXTRA, Column, Kind
from snello.kit.loader.lenient import Misfit, read_row
from snello.lake.arrowtypes import TIMESTAMP

_INT64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_NULL = msgspec.Raw(b"null")
_FIELDS = dict[str, msgspec.Raw]
_TYPES: dict[Kind, Any] = {
    Kind.INTEGER: _INT64 | None,
    Kind.NUMBER: float | None,
    Kind.BOOLEAN: bool | None,
    Kind.TEXT: str | None,
    Kind.DATE: date | None,
    Kind.TIMESTAMP: str | None,  # Arrow reads a column of them many times faster than one by one
    Kind.DECIMAL: Decimal | None,
    Kind.JSON: msgspec.Raw,
}
_UNNAMEABLE = frozenset('"\\') | {chr(code) for code in range(32)}  # msgspec takes no such field names

Row = Any  # an instance of the stream's own struct


@dataclass
class Decoded:
    """Columns of the records that fit, and what is wrong with the others, by their place in the batch."""

    table: pa.Table
    kept: Sequence[int]
    misfits: dict[int, str] = field(default_factory=dict)


class RowDecoder:
    """Decodes the records of one stream, with types checked in C."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self._fields = [f"f{place}" for place in range(len(columns))]
        nameable = [
            (name, column)
            for name, column in zip(self._fields, columns, strict=True)
            if not _UNNAMEABLE & set(column.property)
        ]
        self._struct = msgspec.defstruct(
            "Row",
            [(name, _TYPES[column.kind], _NULL if column.kind is Kind.JSON else None) for name, column in nameable],
            rename={name: column.property for name, column in nameable},
            forbid_unknown_fields=True,
            gc=False,
        )
        self._whole = len(nameable) == len(columns)
        self._many = msgspec.json.Decoder(list[self._struct])  # type: ignore[name-defined]

    def decode(self, records: Sequence[msgspec.Raw]) -> Decoded:
        """The records as a table with the stream's columns; nothing is lost: each is a row or a misfit."""
        try:
            if not self._whole:
                raise Misfit("a name that only the slow path reads")
            rows = self._many.decode(b"[" + b",".join(records) + b"]")
            if len(rows) != len(records):
                raise Misfit("a record that is not one JSON value")
            table = pa.Table.from_arrays([self._array(rows, place) for place in range(len(self.columns))], self._names)
            return Decoded(table, range(len(records)))
        except (msgspec.DecodeError, UnicodeError, Misfit, pa.ArrowException, OverflowError):
            return self._one_by_one(records)

    def misfits(self, records: Sequence[msgspec.Raw]) -> dict[int, str]:
        """What is wrong with the records that do not fit, by their place; quicker than to decode them."""
        try:
            if not self._whole:
                raise Misfit("a name that only the slow path reads")
            rows = self._many.decode(b"[" + b",".join(records) + b"]")
            for place, column in enumerate(self.columns):
                if column.kind in (Kind.TIMESTAMP, Kind.DECIMAL):  # all else was checked by the decoder
                    self._array(rows, place)
        except (msgspec.DecodeError, UnicodeError, Misfit, pa.ArrowException, OverflowError):
            return self._one_by_one(records).misfits
        return {}

    @property
    def _names(self) -> list[str]:
        return [column.name for column in self.columns]

    def _array(self, rows: Sequence[Row], place: int) -> pa.Array:
        name, column = self._fields[place], self.columns[place]
        values = list(map(attrgetter(name), rows))
        return _moments(values) if column.kind is Kind.TIMESTAMP else _to_arrow(values, column)

    def _one_by_one(self, records: Sequence[msgspec.Raw]) -> Decoded:
        rows: list[list[Any]] = []
        extras: list[str | None] = []
        kept: list[int] = []
        misfits: dict[int, str] = {}
        for place, record in enumerate(records):
            try:
                values, extra = self._values(record)
            except Misfit as misfit:
                misfits[place] = misfit.reason
            else:
                rows.append(values)
                extras.append(extra)
                kept.append(place)
        return Decoded(self._table(rows, extras), kept, misfits)

    def _values(self, record: msgspec.Raw) -> tuple[list[Any], str | None]:
        """The values of one record in the order of the columns, and its undeclared fields as JSON."""
        values, extra = read_row(record, self.columns)
        for value, column in zip(values, self.columns, strict=True):
            if column.kind in (Kind.DECIMAL, Kind.JSON):
                _check(value, column)
        return values, extra

    def _table(self, rows: list[list[Any]], extras: list[str | None]) -> pa.Table:
        declared = self._names.index(EXTRA) if EXTRA in self._names else None
        if declared is not None:
            for row, extra in zip(rows, extras, strict=True):
                row[declared] = _joined(row[declared], extra)
        arrays = [_to_arrow([row[place] for row in rows], column) for place, column in enumerate(self.columns)]
        table = pa.Table.from_arrays(arrays, self._names)
        if declared is None and any(extra is not None for extra in extras):
            table = table.append_column(EXTRA, pa.array(extras, pa.string()))
        return table


def _to_arrow(values: list[Any], column: Column) -> pa.Array:
    if column.kind is Kind.JSON:
        texts = pa.array([None if value == _NULL else bytes(value) for value in values], pa.binary())
        return texts.cast(pa.string())
    return pa.array(values, column.type)


def _joined(given: msgspec.Raw, extra: str | None) -> msgspec.Raw:
    """Undeclared fields that the tap gathered and those that it did not."""
    if extra is None:
        return given
    if given == _NULL:
        return msgspec.Raw(extra.encode())
    fields = {**msgspec.json.decode(extra, type=_FIELDS), **msgspec.json.decode(given, type=_FIELDS)}
    return msgspec.Raw(msgspec.json.encode(fields))


def _moments(texts: list[str | None]) -> pa.Array:
    """ISO 8601 texts as moments, in UTC where they name no zone.

    Raises ``ArrowInvalid`` when some do and some do not.
    """
    column = pa.array(texts, pa.string())
    try:
        return column.cast(TIMESTAMP)
    except pa.ArrowInvalid:
        return column.cast(pa.timestamp("us")).cast(TIMESTAMP)


def _check(value: Any, column: Column) -> None:
    """Whether Arrow takes the value; raises ``Misfit`` with the reason when not."""
    try:
        _to_arrow([value], column)
    except (pa.ArrowException, UnicodeError, OverflowError):
        raise Misfit(f"field {column.property!r} does not fit {column.type}") from None
