"""What every advertising platform's formatter shares: columns of people in, the platform's own fields out.

A platform is a list of rules, each of which says what is sent of one value (``rule``). Of many people whole columns are
read at once (``part``), and their answers are those of the rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from types import NoneType
from typing import Any, NamedTuple

from snello.identifiers.platforms.part import Part
from snello.identifiers.platforms.places import iso_country
from snello.identifiers.platforms.rule import Rule, text_of

__all__ = ["Platform", "Prepared", "Rule"]

_AT_ONCE = 1_000  # people whose values stay in the processor's cache while column after column is read
_FEW = 3  # people of whom each is read alone: columns cost more than they save
_TEXT, _NOTHING = {str}, {NoneType}


@dataclass(frozen=True)
class Prepared:
    """People as a platform takes them, in the order in which they came.

    - ``rows``: field of the platform → value as sent; what came to nothing is absent
    - ``dropped``: field → how many values came to nothing though something was given
    - ``further``: for the places of people who gave lists: field → the other values that count
    """

    rows: list[dict[str, str]]
    dropped: Counter[str]
    further: dict[int, dict[str, tuple[str, ...]]] = field(default_factory=dict)


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
        prepared = Prepared([], Counter())
        if len(rows) < _FEW:
            self._add_each(prepared, rows)
            return prepared
        for start in range(0, len(rows), _AT_ONCE):
            self._add(prepared, rows[start : start + _AT_ONCE])
        return prepared

    @cached_property
    def _parts(self) -> tuple[Part, ...]:
        """The rules, those that follow one another on one column together."""
        alike = groupby(self.rules, lambda rule: (rule.column, rule.shared, rule.by_country))
        return tuple(Part(tuple(rules)) for _, rules in alike)

    @cached_property
    def _asks_country(self) -> bool:
        return any(rule.by_country for rule in self.rules)

    def _add_each(self, prepared: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Person after person: where they are few, columns cost more than they save."""
        added = _Added(prepared, len(rows))
        for place, row in enumerate(rows):
            country = iso_country(text_of(row.get("country"))) or "" if self._asks_country else ""
            for part in self._parts:
                if (given := row.get(part.rules[0].column)) is not None:
                    added.read(part, place, given, country if part.rules[0].by_country else "")

    def _add(self, prepared: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        added = _Added(prepared, len(rows))
        columns = {name: column for name in self.fields if (column := _column(rows, name))}
        nowhere = [""] * len(rows)
        countries = nowhere
        if self._asks_country:
            countries = _countries(columns.get("country") or _column(rows, "country"), len(rows))
        for part in self._parts:
            if column := columns.get(part.rules[0].column):
                at = countries if part.rules[0].by_country else nowhere
                if column.listed:
                    added.read_each(part, column.values, at)
                else:
                    added.fill(part, column.values, at)


class _Column(NamedTuple):
    """One column of some people: texts and nothing, and lists of anything where it is ``listed``."""

    values: list[Any]
    listed: bool


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> _Column | None:
    """The column; none where nobody has a value."""
    values = [row.get(name) for row in rows]
    kinds = set(map(type, values))
    if kinds == _NOTHING:
        return None
    if kinds - _NOTHING == _TEXT:
        return _Column(values, listed=False)
    listed = any(issubclass(kind, list | tuple) for kind in kinds)
    return _Column([one if one is None or isinstance(one, list | tuple) else text_of(one) for one in values], listed)


def _countries(column: _Column | None, count: int) -> list[str]:
    if column is None:
        return [""] * count
    texts = list(map(text_of, column.values)) if column.listed else column.values
    known = {text: iso_country(text or "") or "" for text in set(texts)}
    return [known[text] for text in texts]


class _Added:
    """Some people as their rows fill, after those that are prepared."""

    def __init__(self, prepared: Prepared, count: int) -> None:
        self._prepared, self._start = prepared, len(prepared.rows)
        self._rows: list[dict[str, str]] = [{} for _ in range(count)]
        prepared.rows.extend(self._rows)

    def fill(self, part: Part, values: Sequence[str | None], countries: Sequence[str]) -> None:
        """Write the fields of a column of texts."""
        for rule, found in zip(part.rules, part.sent(values, countries), strict=True):
            name = rule.field
            if all(found):
                for row, value in zip(self._rows, found, strict=True):
                    row[name] = value  # type: ignore[assignment]
                continue
            for row, given, value in zip(self._rows, values, found, strict=True):
                if value is not None:
                    row[name] = value
                elif given and given.strip():
                    self._prepared.dropped[name] += 1

    def read_each(self, part: Part, values: Sequence[Any], countries: Sequence[str]) -> None:
        """Write the fields of a column in which some have several values."""
        for place, (given, country) in enumerate(zip(values, countries, strict=True)):
            if given is not None:
                self.read(part, place, given, country)

    def read(self, part: Part, place: int, given: Any, country: str) -> None:
        """Write the fields of one person's value, or values."""
        if isinstance(given, list | tuple):
            for rule in part.rules:
                self._read_several(rule, place, given, country)
        elif text := text_of(given):
            for rule, sent in zip(part.rules, part.sent_of_one(text, country), strict=True):
                if sent is not None:
                    self._rows[place][rule.field] = sent
                else:
                    self._prepared.dropped[rule.field] += 1

    def _read_several(self, rule: Rule, place: int, given: Sequence[Any], country: str) -> None:
        read = [rule.sent(one, country) for one in given]
        if lost := sum(sent is None and bool(text_of(one)) for one, sent in zip(given, read, strict=True)):
            self._prepared.dropped[rule.field] += lost
        found = tuple(dict.fromkeys(sent for sent in read if sent is not None))
        if found:
            self._rows[place][rule.field] = found[0]
        if len(found) > 1:
            self._prepared.further.setdefault(self._start + place, {})[rule.field] = found[1:]
