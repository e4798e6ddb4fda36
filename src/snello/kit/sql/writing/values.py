"""Values of an audience, as JSON has them, made into what a column of the table takes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from snello.kit.sql.types import Column, Kind

MIDNIGHT = time()


class Unfit(ValueError):
    """A value that its column cannot hold; ``code`` is the word of the receipt."""

    def __init__(self, code: str = "bad_value") -> None:
        super().__init__(code)
        self.code = code


def fitted(column: Column, value: Any, *, nul: bool = True) -> Any:
    """The value for the driver; ``nul``: whether texts may hold the character of that name. Raises ``Unfit``."""
    if value is None:
        return None
    make: Callable[[Any], Any] = _MAKE.get(column.kind, _text)
    try:
        made = make(value)
    except (ValueError, TypeError, ArithmeticError, AttributeError):
        raise Unfit from None
    if isinstance(made, str) and (("\0" in made and not nul) or not _encodes(made)):
        raise Unfit("encoding")
    return made


def canonical(value: Any) -> str:
    """A key in the one spelling in which ours and the database's are compared: padding counts for nothing."""
    return str(value).strip()


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _boolean(value: Any) -> bool:
    if value in (0, 1):
        return bool(value)
    raise ValueError


def _integer(value: Any) -> int:
    number = int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError
    return number


def _decimal(value: Any) -> Decimal:
    return Decimal(repr(value) if isinstance(value, float) else value)


def _date(value: Any) -> date:
    moment = datetime.fromisoformat(value)
    if moment.time() != MIDNIGHT:
        raise ValueError
    return moment.date()


def _instant(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _text(value: Any) -> str:
    if isinstance(value, dict | list | bool):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def _same(value: Any) -> Any:
    return value


_MAKE: dict[Kind, Callable[[Any], Any]] = {
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.NUMBER: float,
    Kind.DECIMAL: _decimal,
    Kind.DATE: _date,
    Kind.INSTANT: _instant,
    Kind.LOCAL: lambda value: _instant(value).replace(tzinfo=None),
    Kind.TIME: time.fromisoformat,
    Kind.UUID: lambda value: UUID(str(value)),
    Kind.BYTES: lambda value: base64.b64decode(value, validate=True),
    Kind.JSON: _same,
    Kind.ARRAY: _same,
}
