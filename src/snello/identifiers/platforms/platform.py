"""What every advertising platform's formatter shares: columns of people in, the platform's own fields out.

A platform is a list of rules. What many people share (a town, a birthday, a surname) is read and hashed once and kept.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from datetime import date
from functools import cached_property
from typing import Any, TypeAlias

from snello.identifiers.platforms.places import iso_country

Read: TypeAlias = Callable[[str, str], "str | None"]
_LENGTH = 64
_KEPT = 100_000  # some 20 MB
_HASHED = re.compile(r"[0-9a-fA-F]{64}")


def sha256(text: str) -> str:
    """SHA-256 of the text in UTF-8, in small hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_OF_NOTHING = frozenset(map(sha256, ("", " ", "null", "none", "nan", "n/a", "undefined")))


@dataclass(frozen=True)
class Rule:
    """How one field of a platform comes from one column.

    - ``read``: value and country (two capitals, or nothing) to the value as the platform wants it; ``None`` for nothing
    - ``clear``: the platform takes it as it is read; all else is hashed, and taken as it is where it is hashed already
    - ``by_country``: what the value means depends on the person's country
    - ``shared``: many people have the same value, so that what came of it is worth keeping
    """

    column: str
    field: str
    read: Read
    clear: bool = False
    by_country: bool = False
    shared: bool = True
    kept: dict[Any, str | None] = made(default_factory=dict, init=False, repr=False, compare=False)

    def sent(self, value: object, country: str = "") -> str | None:
        """The value as it goes to the platform; ``None`` when there is nothing in it. Never the hash of nothing."""
        text = value.strip() if isinstance(value, str) else _text(value)
        if not text:
            return None
        if len(text) == _LENGTH and not self.clear and _HASHED.fullmatch(text):
            return None if text.lower() in _OF_NOTHING else text.lower()
        found = self.read(text, country)
        return found if self.clear or not found else sha256(found)


@dataclass(frozen=True)
class Prepared:
    """People as a platform takes them, in the order in which they came.

    - ``rows``: field of the platform → value as sent; what came to nothing is absent
    - ``dropped``: field → how many values came to nothing though something was given
    - ``further``: for the places of people who gave lists: field → the other values that count
    """

    rows: list[dict[str, str]]
    dropped: Counter[str]
    further: dict[int, dict[str, tuple[str, ...]]] = made(default_factory=dict)


@dataclass(frozen=True)
class Platform:
    """One platform's formatting: its name, and its rules in the order of its fields."""

    name: str
    rules: tuple[Rule, ...]

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Column → field of the platform. A column of several fields (``birth_date``) has the first of them."""
        found: dict[str, str] = {}
        for rule in self.rules:
            found.setdefault(rule.column, rule.field)
        return found

    def prepare(self, rows: Sequence[Mapping[str, Any]]) -> Prepared:
        """The people as the platform takes them; columns that it has no field for are left out.

        ``email`` and ``phone`` may be lists: the first that counts is in ``rows``, all others in ``further``.
        """
        prepared = Prepared([{} for _ in rows], Counter())
        countries: list[str] | None = None
        columns: dict[str, list[Any]] = {}
        for rule in self.rules:
            if rule.column not in columns:
                columns[rule.column] = [row.get(rule.column) for row in rows]
            if rule.by_country and countries is None:
                countries = _countries(rows)
            if columns[rule.column].count(None) < len(rows):
                _fill(prepared, rule, columns[rule.column], countries if rule.by_country else None)
        return prepared


def _fill(prepared: Prepared, rule: Rule, values: list[Any], countries: list[str] | None) -> None:
    if any(isinstance(value, list | tuple) for value in values):
        values = _first_of_lists(prepared, rule, values, countries)
    found = _all_sent(rule, values, countries)
    name = rule.field
    for row, value in zip(prepared.rows, found, strict=True):
        if value is not None:
            row[name] = value
    if None in found:
        pairs = zip(values, found, strict=True)
        if lost := sum(value is None and bool(_text(given)) for given, value in pairs):
            prepared.dropped[name] += lost


def _all_sent(rule: Rule, values: list[Any], countries: list[str] | None) -> list[str | None]:
    sent = rule.sent
    if not rule.shared:
        return list(map(sent, values, countries)) if countries else list(map(sent, values))
    keys = list(zip(values, countries, strict=True)) if countries else values
    new = set(keys).difference(rule.kept)
    if len(rule.kept) + len(new) > _KEPT:
        rule.kept.clear()
        new = set(keys)
    rule.kept.update({key: sent(*key) if countries else sent(key) for key in new})
    return [rule.kept[key] for key in keys]


def _first_of_lists(prepared: Prepared, rule: Rule, values: list[Any], countries: list[str] | None) -> list[Any]:
    first: list[Any] = []
    for place, value in enumerate(values):
        if not isinstance(value, list | tuple):
            first.append(value)
            continue
        country = countries[place] if countries else ""
        read = [(one, rule.sent(one, country)) for one in value]
        found = dict.fromkeys(sent for _, sent in read if sent is not None)
        if lost := sum(sent is None and bool(_text(one)) for one, sent in read):
            prepared.dropped[rule.field] += lost
        first.append(next((one for one, sent in read if sent is not None), None))
        if len(found) > 1:
            prepared.further.setdefault(place, {})[rule.field] = tuple(found)[1:]
    return first


def _countries(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    values = [row.get("country") for row in rows]
    known = {value: iso_country(_text(value)) or "" for value in set(values)}
    return [known[value] for value in values]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    return value.isoformat()[:10] if isinstance(value, date) else str(value)
