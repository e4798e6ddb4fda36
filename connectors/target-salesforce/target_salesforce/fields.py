"""Which column goes to which field, and in what form; the org's description of the object says what there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any

from snello.kit.channel import ConfigError, choices
from target_salesforce.faults import WHERE
from target_salesforce.settings import Settings

OPT_OUT = re.compile(r"(Person)?(HasOptedOut\w*|DoNotCall)(__pc)?", re.IGNORECASE)
NUMBERS = frozenset(("double", "int", "currency", "percent"))
YES_NO = {"true": True, "false": False}
NULL = "#N/A"  # a cell of this text clears its field
NOBODY = "erased"


class Unfit(Exception):
    """A value that is not of its field's type."""


@dataclass(frozen=True)
class Target:
    """Where a column goes: a field, or the external id of the parent that a reference names."""

    name: str
    kind: str


class Fields:
    """The audience's columns as fields of one object, as the org describes it. Raises ``ConfigError``.

    - ``key``: the external id; ``join``, ``leave``: what is written of members, and of those who leave
    """

    def __init__(self, settings: Settings, described: Iterable[Mapping[str, Any]]) -> None:
        self.object, self.clear = settings.object, frozenset(settings.clear)
        self.known = {str(one["name"]).lower(): one for one in described}
        self.key = self._external_id(settings.external_id_field)
        self.targets = {column: self._target(name) for column, name in settings.fields.items()}
        self.join, self.leave = self._fixed(settings.on_join, "on_join"), self._fixed(settings.on_leave, "on_leave")
        for column in settings.clear:
            if column not in self.targets or "." in self.targets[column].name:
                raise ConfigError(WHERE, f"{column} in clear goes to no field of its own", "take it out of clear")

    def check(self, columns: Iterable[str]) -> None:
        """See that the audience has the columns that are named. Raises ``ConfigError``."""
        there = list(columns)
        for column in self.targets:
            if column not in there:
                raise ConfigError(
                    WHERE, f"the audience has no column {column}", f"mend fields; {choices(column, there)}"
                )

    def values(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Fields to write, None to clear one. Raises ``Unfit``."""
        found: dict[str, Any] = {}
        for column, target in self.targets.items():
            value = typed(target.kind, payload.get(column))
            if value is not None or column in self.clear:
                found[target.name] = value
        return found | self.join

    def is_moment(self, name: str) -> bool:
        """Whether a field holds a day or a moment, which SOQL writes without quotes."""
        return self.known[name.lower()]["type"] in ("date", "datetime") and self.join[name] is not None

    def blanks(self) -> dict[str, Any]:
        """What is written of somebody who is to be forgotten; the external id goes too."""
        found: dict[str, Any] = {}
        for name in (self.key, *(target.name for target in self.targets.values()), *self.join):
            field = self._reference(name.partition(".")[0]) if "." in name else self.known[name.lower()]
            if field["nillable"]:
                found[str(field["name"])] = None
            elif field["type"] == "boolean":
                found[str(field["name"])] = False
            elif field["type"] not in NUMBERS | {"date", "datetime", "reference"}:
                found[str(field["name"])] = NOBODY
        return found | self.leave

    # ---- what the org has

    def _external_id(self, name: str) -> str:
        field = self._field(name, "external_id_field")
        if not (field["externalId"] and field["unique"]):
            cure = "mark it as External ID and Unique in Salesforce, or name another in external_id_field"
            raise ConfigError(WHERE, f"{self.object}.{field['name']} is no unique external id", cure)
        return str(field["name"])

    def _target(self, name: str) -> Target:
        head, _, key = name.partition(".")
        if key:
            return Target(f"{self._reference(head)['relationshipName']}.{key}", "string")
        field = self._field(name, "fields")
        return Target(str(field["name"]), str(field["type"]))

    def _fixed(self, given: Mapping[str, Any], setting: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in given.items():
            field = self._field(name, setting)
            try:
                found[str(field["name"])] = typed(str(field["type"]), value)
            except Unfit:
                cure = f"give {setting} a value of the type {field['type']}"
                raise ConfigError(WHERE, f"the field {field['name']} takes no such value", cure) from None
        return found

    def _field(self, name: str, setting: str) -> Mapping[str, Any]:
        if OPT_OUT.fullmatch(name):
            cure = f"take it out of {setting}: who opted out in Salesforce stays so"
            raise ConfigError(WHERE, f"the field {name} is not for us to write", cure)
        field = self.known.get(name.lower())
        if field is None:
            near = get_close_matches(name, [str(one["name"]) for one in self._own()], n=3)
            cure = f"mend {setting}, or let the user see the field{'; near it: ' if near else ''}{', '.join(near)}"
            raise ConfigError(WHERE, f"{self.object} has no field {name}", cure)
        if not field["updateable"]:
            cure = f"mend {setting}, or let the user edit it (field-level security)"
            raise ConfigError(WHERE, f"nobody may write the field {field['name']}", cure)
        return field

    def _reference(self, head: str) -> Mapping[str, Any]:
        names = {str(one["relationshipName"]).lower(): one for one in self._own() if one.get("relationshipName")}
        field = names.get(head.lower())
        if field is None:
            there = [str(one["relationshipName"]) for one in names.values()]
            raise ConfigError(
                WHERE, f"{self.object} has no relationship {head}", f"mend fields; {choices(head, there)}"
            )
        return field

    def _own(self) -> list[Mapping[str, Any]]:
        return [one for one in self.known.values() if one["updateable"]]


def typed(kind: str, value: Any) -> Any:
    """A value as a field of this type takes it; None for a blank. Raises ``Unfit``."""
    text = text_of(value)
    if not text or text == NULL:
        return None
    try:
        if kind == "boolean":
            return YES_NO[text.lower()]
        if kind in NUMBERS:
            return value if isinstance(value, int | float) and not isinstance(value, bool) else float(text)
        if kind == "date":
            return date.fromisoformat(text[:10]).isoformat()
        if kind == "datetime":
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (KeyError, ValueError):
        raise Unfit from None
    return text


def text_of(value: Any) -> str:
    """A value as text, with line ends of one kind: a job refuses the other as a whole."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ";".join(text for one in value if (text := text_of(one)))
    return str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()


def cell_of(value: Any) -> str:
    """A field's value as the cell of a job; empty where nothing is written."""
    return NULL if value is None else text_of(value)


def record_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as a record in JSON: a parent's external id stands within an object."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        head, _, key = name.partition(".")
        found[head] = {key: value} if key else value
    return found
