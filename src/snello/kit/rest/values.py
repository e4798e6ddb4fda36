"""What an interface's values mean: zones, nulls, money, ids and moments, said once for a stream."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from snello.kit.rest.asking import Row

DECIMALS = {"singer.decimal", "x-singer.decimal"}
EXTRA = "_extra"
GONE = "_deleted_at"
_OFFSET = re.compile(r"(?:[Zz]|[+-]\d\d:?\d\d)$")
_HOURS = re.compile(r"[T ]\d\d.*[+-]\d\d$")  # an offset without minutes, which few readers take
_DAY = re.compile(r"\d{4}-\d\d-\d\d$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Convert = Callable[[Any], Any]


class Unfit(Exception):
    """A row that does not mean what its schema says; the reason tells no value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Values:
    """How values are written.

    - ``zone``: time zone of moments that carry none
    - ``empty``: values that mean null; ``False`` only where the field is no boolean
    - ``minor_units``: decimal fields that count the smallest coin, and how many digits that is: ``{"total": 2}``
    - ``texts``: fields that are text to us and numbers to the interface, such as 64-bit ids
    - ``moments``: fields that write moments otherwise than ISO 8601: ``epoch``, ``epoch_ms`` or a ``strptime`` pattern
    - ``nested``: fields found deeper: ``{"email": "contact.email"}``
    - ``left_out``: undeclared fields that nobody wants, as patterns with ``*`` and ``?``; others arrive in ``_extra``
    - ``tells_gone``: the stream's rows bring ``_deleted_at`` themselves, as the interface lists what was deleted
    """

    zone: str = "UTC"
    empty: tuple[Any, ...] = ()
    minor_units: Mapping[str, int] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    moments: Mapping[str, str] = field(default_factory=dict)
    nested: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    tells_gone: bool = False


class Shaper:
    """Makes rows of what an interface hands out: the declared fields, what is undeclared under ``_extra``."""

    def __init__(self, schema: Mapping[str, Any], values: Values, keys: Sequence[str]) -> None:
        properties: dict[str, Any] = schema["properties"]
        self.names = [name for name in properties if name not in (EXTRA, GONE)]
        self.undeclared: set[str] = set()
        self._keys, self._values, self._may_go = tuple(keys), values, GONE in properties
        self._paths = {name: tuple(path.split(".")) for name, path in values.nested.items()}
        # what a nested field was taken out of may hold more, and stays
        self._known = {*self.names, *((GONE,) if values.tells_gone else ())}
        self._converts = {
            name: convert for name in self.names if (convert := self._convert(name, properties[name])) is not None
        }

    def shape(self, row: Row) -> Row:
        """The row with the declared fields in their order, and ``_extra``. Raises ``Unfit``."""
        get = row.get
        shaped = {name: get(name) for name in self.names}
        for name, path in self._paths.items():
            shaped[name] = _deep(row, path)
        for name, convert in self._converts.items():
            value = shaped[name]
            if value is not None:
                try:
                    shaped[name] = convert(value)
                except (ValueError, TypeError, OverflowError, InvalidOperation, OSError):
                    raise Unfit(f"field {name!r} cannot be read") from None
        for key in self._keys:
            if shaped.get(key) is None:
                raise Unfit(f"no {key!r}, its key")
        extra = row.keys() - self._known
        if extra and (extra := self._wanted(extra)):
            shaped[EXTRA] = {name: row[name] for name in sorted(extra)}
        else:
            shaped[EXTRA] = None
        if self._may_go:
            shaped[GONE] = get(GONE) if self._values.tells_gone else None
        return shaped

    def _wanted(self, names: set[str]) -> set[str]:
        """Undeclared fields without those to leave out, which are known from now on."""
        for name in names - self.undeclared:
            if any(fnmatchcase(name, pattern) for pattern in self._values.left_out):
                self._known.add(name)
            else:
                self.undeclared.add(name)
        return names - self._known

    def _convert(self, name: str, declared: Mapping[str, Any]) -> Convert | None:
        kinds, form = _types(declared), declared.get("format", "")
        steps: list[Convert] = []
        if self._values.empty:
            boolean = "boolean" in kinds
            empty = [value for value in self._values.empty if not (boolean and value is False)]
            # 0 == False, and a zero is a value
            steps.append(
                lambda value: (
                    None if any(value is e or (value == e and type(value) is type(e)) for e in empty) else value
                )
            )
        if name in self._values.minor_units:
            steps.append(_major(self._values.minor_units[name]))
        elif form in DECIMALS:
            steps.append(_exact)
        elif "number" in kinds:
            steps.append(lambda value: float(value) if isinstance(value, Decimal) else value)
        if name in self._values.texts:
            steps.append(_text)
        if name in self._values.moments:
            steps.append(_moment(self._values.moments[name], self._values.zone))
        elif form == "date-time":
            steps.append(_zoned(self._values.zone))
        if not steps:
            return None
        return steps[0] if len(steps) == 1 else _all(steps)


def _types(declared: Mapping[str, Any]) -> list[str]:
    kinds = declared.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _deep(row: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(row, dict):
            return None
        row = row.get(name)
    return row


def _all(steps: Sequence[Convert]) -> Convert:
    def convert(value: Any) -> Any:
        for step in steps:
            if value is None:
                return None
            value = step(value)
        return value

    return convert


def _major(digits: int) -> Convert:
    def convert(value: Any) -> str:
        if isinstance(value, bool) or Decimal(value) != int(Decimal(value)):
            raise ValueError
        return format(Decimal(int(Decimal(value))).scaleb(-digits), "f")

    return convert


def _exact(value: Any) -> Any:
    """A number as the decimal text that it was written as; a text stays as it is."""
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        return value
    return str(value) if isinstance(value, int) else format(Decimal(str(value)), "f")


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _zoned(zone: str) -> Convert:
    """ISO 8601 with its zone made explicit, in UTC where it had none."""
    place = ZoneInfo(zone)

    def convert(value: Any) -> Any:
        if not isinstance(value, str) or (_OFFSET.search(value) and not _DAY.match(value)):
            return value
        if _HOURS.search(value):
            return f"{value}:00"
        if zone == "UTC":
            return f"{value}T00:00:00Z" if _DAY.match(value) else f"{value}Z"
        return datetime.fromisoformat(value).replace(tzinfo=place).astimezone(UTC).isoformat()

    return convert


def _moment(form: str, zone: str) -> Convert:
    if form in ("epoch", "epoch_ms"):
        unit = 1 if form == "epoch" else 1000

        def since_1970(value: Any) -> str:
            if isinstance(value, bool):
                raise TypeError
            return (_EPOCH + timedelta(microseconds=int(Decimal(value) * 1_000_000 / unit))).isoformat()

        return since_1970
    place = ZoneInfo(zone)

    def written(value: Any) -> str:
        moment = datetime.strptime(value, form)
        return (moment if moment.tzinfo else moment.replace(tzinfo=place)).astimezone(UTC).isoformat()

    return written
