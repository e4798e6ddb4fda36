"""An audience's columns as values of Odoo's fields: only the fields that are named, no blank over a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from snello.kit.channel import ConfigError, choices

WHERE = "target-odoo"
TEXTS = frozenset({"char", "text", "html", "selection"})
NUMBERS = frozenset({"float", "monetary"})
KINDS = TEXTS | NUMBERS | {"integer", "many2one", "boolean", "date", "datetime"}
TRUE, FALSE = frozenset({"1", "true", "yes"}), frozenset({"0", "false", "no"})


class Unfit(ValueError):
    """A value that its field cannot hold."""


@dataclass(frozen=True)
class Mapped:
    """Columns to fields.

    - ``kinds``: types of the fields, by name
    - ``clear``: fields that a blank may empty; ``only_set``: fields that become true and never false
    """

    fields: Mapping[str, str]
    kinds: Mapping[str, str]
    clear: frozenset[str]
    only_set: frozenset[str]

    def of(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """What to write. Raises ``Unfit``."""
        found: dict[str, Any] = {}
        for column, field in self.fields.items():
            value = payload.get(column)
            if value is None or value == "":
                if field in self.clear and field not in self.only_set:
                    found[field] = False
                continue
            fit = fitted(self.kinds[field], value)
            if fit is not False or field not in self.only_set:
                found[field] = fit
        return found


def fitted(kind: str, value: Any) -> Any:
    """A value as a field of this type takes it over JSON. Raises ``Unfit``."""
    try:
        if kind == "boolean":
            return _truth(value)
        if kind in ("integer", "many2one"):
            return _whole(value)
        if kind in NUMBERS:
            return float(value)
        if kind in ("date", "datetime"):
            return _moment(kind, value)
    except (ValueError, TypeError):
        raise Unfit from None
    return str(value)


def imported(value: Any) -> str:
    """The same value as text, as Odoo's import takes it."""
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value)


def check_fields(known: Mapping[str, Mapping[str, Any]], wanted: Iterable[str]) -> dict[str, str]:
    """The types of these fields. Raises ``ConfigError`` for one that the model lacks or nobody may write."""
    kinds: dict[str, str] = {}
    for field in wanted:
        if field not in known:
            raise ConfigError(WHERE, f"res.partner has no field {field}", f"mend fields; {choices(field, known)}")
        kind = str(known[field]["type"])
        if kind not in KINDS or known[field].get("readonly"):
            what = f"the field {field} of res.partner, {kind}, is not one to write"
            raise ConfigError(WHERE, what, "map its column to another field")
        kinds[field] = kind
    return kinds


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in TRUE | FALSE:
        raise Unfit
    return word in TRUE


def _whole(value: Any) -> int:
    number = float(value)
    if number != int(number):
        raise Unfit
    return int(value) if isinstance(value, str) else int(number)


def _moment(kind: str, value: Any) -> str:
    moment = datetime.fromisoformat(str(value))
    if kind == "date":
        return moment.date().isoformat()
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime("%Y-%m-%d %H:%M:%S")
