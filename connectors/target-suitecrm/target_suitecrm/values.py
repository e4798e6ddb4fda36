"""An audience's columns as texts for SuiteCRM's fields: only the fields that are named, no blank over a value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from snello.kit.channel import ConfigError, choices
from target_suitecrm.faults import WHERE

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
KEPT_BY_SUITECRM = frozenset({"id", "date_entered", "date_modified", "modified_user_id", "created_by", "deleted"})
ELSEWHERE = frozenset({"email1", "email2", "email_opt_out", "invalid_email"})  # no column of contacts, and writable
NUMBERS = frozenset({"decimal", "double", "float", "currency"})
TRUE, FALSE = frozenset({"1", "true", "yes"}), frozenset({"0", "false", "no"})


class Unfit(ValueError):
    """A value that its field cannot hold; the text is the code."""


@dataclass(frozen=True)
class Field:
    """A field of contacts; ``length``: the longest text that it holds."""

    name: str
    kind: str
    length: int | None

    def text(self, value: Any) -> str:
        """A value as the field takes it. Raises ``Unfit``."""
        try:
            found = self._written(value)
        except (ValueError, TypeError):
            raise Unfit("bad_value") from None
        if self.length is not None and len(found) > self.length:
            raise Unfit("too_long")
        if self.name in ("email1", "email2") and not EMAIL.fullmatch(found):
            raise Unfit("invalid_email")  # SuiteCRM would drop it without a word
        return found

    def _written(self, value: Any) -> str:
        match self.kind:
            case "bool":
                return _truth(value)
            case "int":
                return str(_whole(value))
            case "date" | "datetime" | "datetimecombo":
                return _moment(self.kind, value)
            case "multienum":
                return _several(value)
        if self.kind in NUMBERS:
            return _number(value)
        if isinstance(value, bool):
            return "1" if value else "0"
        if isinstance(value, list | dict):
            raise TypeError
        return str(value).strip()


@dataclass(frozen=True)
class Mapped:
    """Columns to fields.

    - ``clear``: fields that a blank may empty; ``only_set``: fields that become true and never false
    """

    columns: Mapping[str, str]
    fields: Mapping[str, Field]
    clear: frozenset[str]
    only_set: frozenset[str]

    def of(self, payload: Mapping[str, Any]) -> dict[str, str]:
        """What to write. Raises ``Unfit``."""
        found: dict[str, str] = {}
        for column, name in self.columns.items():
            value = payload.get(column)
            if value is None or value == "" or value == []:
                if name in self.clear and name not in self.only_set:
                    found[name] = ""
                continue
            text = self.fields[name].text(value)
            if name not in self.only_set or text not in ("", "0"):
                found[name] = text
        return found

    def leaving(self, given: Mapping[str, Any]) -> dict[str, str]:
        """What to write to a contact that leaves the audience; null empties. Raises ``ConfigError``."""
        found: dict[str, str] = {}
        for name, value in given.items():
            try:
                text = "" if value is None or value == "" else self.fields[name].text(value)
            except Unfit:
                what = f"the value of {name} in on_leave is none for a field of type {self.fields[name].kind}"
                raise ConfigError(WHERE, what, "mend on_leave") from None
            if name not in self.only_set or text not in ("", "0"):
                found[name] = text
        return found


def check_fields(known: Mapping[str, Mapping[str, Any]], wanted: Iterable[str], id_field: str) -> dict[str, Field]:
    """These fields of contacts. Raises ``ConfigError`` for one that is not there, or not for us to write."""
    fields: dict[str, Field] = {}
    for name in (*wanted, id_field):
        if name not in known:
            cure = f"add it in Studio, or mend the settings; {choices(name, known)}"
            raise ConfigError(WHERE, f"SuiteCRM's contacts have no field {name}", cure)
        told = known[name]
        kind, elsewhere = str(told.get("type", "varchar")), told.get("source") == "non-db" and name not in ELSEWHERE
        if name in KEPT_BY_SUITECRM or kind == "link" or elsewhere:
            raise ConfigError(
                WHERE, f"the field {name}, {kind}, is not one to write", "map its column to another field"
            )
        length = str(told.get("len") or "")
        fields[name] = Field(name, kind, int(length) if length.isdigit() and kind not in NUMBERS else None)
    return fields


def _truth(value: Any) -> str:
    word = str(value).strip().lower()
    if word not in TRUE | FALSE:
        raise ValueError
    return "1" if word in TRUE else "0"


def _number(value: Any) -> str:
    if not math.isfinite(float(value)):
        raise ValueError
    return str(value).strip()


def _whole(value: Any) -> int:
    number = float(value)
    if number != int(number):
        raise ValueError
    return int(value) if isinstance(value, str) else int(number)


def _moment(kind: str, value: Any) -> str:
    moment = datetime.fromisoformat(str(value))
    if kind == "date":
        return moment.date().isoformat()
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime("%Y-%m-%d %H:%M:%S")


def _several(value: Any) -> str:
    """A choice of several as SuiteCRM writes it: each between carets."""
    if isinstance(value, str) and value.startswith("^"):
        return value
    return ",".join(f"^{one}^" for one in (value if isinstance(value, list) else [value]))
