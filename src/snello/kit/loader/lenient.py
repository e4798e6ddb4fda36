"""One record read with patience: values that mean what the schema asks for, and what is undeclared.

Used for the records of a batch that the fast path does not take as they stand: a date with a midnight behind it, an
integer written ``1.0``, a field that the schema does not name. What still does not fit is a ``Misfit``, with the name
of the field and without its value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from snello.kit.loader.columns import Column, Kind

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NULL = msgspec.Raw(b"null")


class Misfit(Exception):
    """A record that its schema does not allow; the reason tells no value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_row(record: msgspec.Raw, columns: Sequence[Column]) -> tuple[list[Any], str | None]:
    """The values of a record in the order of ``columns``, and its undeclared fields as JSON text.

    Raises ``Misfit`` when it is not a JSON object or a value does not mean what its column holds.
    """
    try:
        fields = _OBJECT.decode(record)
    except UnicodeError:
        raise Misfit("not valid UTF-8") from None
    except msgspec.ValidationError:
        raise Misfit("not a JSON object") from None
    except msgspec.DecodeError:
        raise Misfit("not valid JSON") from None
    values = [_value(fields.pop(column.property, _NULL), column) for column in columns]
    return values, _as_json(fields) if fields else None


def _value(raw: msgspec.Raw, column: Column) -> Any:
    if column.kind is Kind.JSON:
        return raw
    if raw == _NULL:
        return None
    try:
        value = msgspec.json.decode(raw)
        if column.kind is Kind.DECIMAL and not isinstance(value, bool):
            return Decimal(value if isinstance(value, str) else bytes(raw).decode())
        return _READ[column.kind](value)
    except UnicodeError:
        raise Misfit(f"field {column.property!r} is not valid UTF-8") from None
    except msgspec.DecodeError:
        raise Misfit(f"field {column.property!r} is not valid JSON") from None
    except (ValueError, TypeError, OverflowError, InvalidOperation, KeyError):
        raise Misfit(f"field {column.property!r} is not {_article(column.kind)}") from None


def _article(kind: Kind) -> str:
    return f"an {kind.value}" if kind.value[0] in "aeiou" else f"a {kind.value}"


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError
    if not -(2**63) <= value < 2**63:
        raise OverflowError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _date(value: Any) -> date:
    if not isinstance(value, str):
        raise TypeError
    if len(value) == 10:
        return date.fromisoformat(value)
    moment = datetime.fromisoformat(value)
    if moment.hour or moment.minute or moment.second or moment.microsecond:
        raise ValueError
    return moment.date()


def _timestamp(value: Any) -> datetime:
    if not isinstance(value, str):
        raise TypeError
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_READ: dict[Kind, Callable[[Any], Any]] = {
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.TEXT: _text,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
}


def _as_json(fields: dict[str, msgspec.Raw]) -> str:
    try:
        return msgspec.json.encode(fields).decode()
    except UnicodeError:
        raise Misfit("an undeclared field is not valid UTF-8") from None
