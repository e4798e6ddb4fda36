"""What an answer of OData holds: entities without their annotations, whole pages, changes and removals.

Section numbers are those of OData JSON Format 4.01; see docs/contracts/odata.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import unquote, urljoin, urlsplit

from snello.errors import ContractError
from snello.kit.http import Answer
from snello.kit.odata.edm import INTEGERS, EntitySet, converter, literal
from snello.kit.odata.pages import linked
from snello.kit.rest.asking import Row

DELETED = "@deleted"  # in a row: when it was found to be removed
ASKED_AT_ONCE = 20  # changed entities that came with a part of their properties only

_PREDICATE = re.compile(r"\(((?:'(?:[^']|'')*'|[^'()])*)\)$")
_PAIR = re.compile(r"\s*(?:(\w+)\s*=\s*)?('(?:[^']|'')*'|[^,'\s]+)\s*(?:,|$)")


class Asker(Protocol):
    """The stream, as its answers see it."""

    entity: EntitySet
    where: str

    @property
    def along(self) -> Sequence[str]:
        """Navigation properties that come along."""

    @property
    def chosen(self) -> Sequence[str]:
        """The selected properties."""

    def listed(self, answer: Answer) -> list[Row]:
        """The list in an answer."""

    def follow(self, url: str) -> Answer:
        """The answer to a request for more of the same."""

    def among(self, condition: str) -> Answer:
        """The entities that fit a filter."""


class Answers:
    """Makes rows of what one entity set hands out."""

    def __init__(self, stream: Asker) -> None:
        self._stream, self._entity = stream, stream.entity
        found = {each.name: converter(each) for each in self._entity.properties.values()}
        self._converters = {name: convert for name, convert in found.items() if convert is not None}

    def plain(self, answer: Answer, row: Row) -> Row:
        """An entity as its properties, without annotations (4.5), what comes along whole."""
        for name in self._stream.along:
            link = row.get(f"{name}@odata.nextLink")  # (8.3): there is more than was handed out
            if link:
                row[name] = row[name] + self._rest(urljoin(answer.url, link), len(row[name]), None)
        plain = {name: value for name, value in row.items() if "@" not in name}
        for name, convert in self._converters.items():
            if plain.get(name) is not None:
                plain[name] = convert(plain[name])
        for name in self._stream.along:
            if name in plain:
                plain[name] = _bare(plain[name])
        return plain

    def whole(self, answer: Answer, found: Sequence[Row], size: int) -> list[Row]:
        """A page of the size that was asked for, where the service hands out less at once (Protocol, 11.2.6.7)."""
        link = linked(answer) if len(found) < size else None
        return [*found, *self._rest(link, len(found), size)] if link else list(found)

    def _rest(self, link: str | None, count: int, most: int | None) -> list[Row]:
        rows: list[Row] = []
        seen: set[str] = set()
        while link and (most is None or count + len(rows) < most):
            answer = self._stream.follow(link)
            if link in seen or urlsplit(link).netloc != urlsplit(answer.url).netloc:
                what = "the service's links to more entities go round in circles"
                raise ContractError(self._stream.where, what, "have the service mended, or ask for smaller pages")
            seen.add(link)
            rows += self._stream.listed(answer)
            link = linked(answer)
        return rows

    def changes(self, answer: Answer, found: Sequence[Row]) -> list[Row]:
        """Entities that changed, whole, and the keys of those that were removed (15.2, 15.3); no links between them."""
        rows: dict[str, Row] = {}
        partial: dict[str, Row] = {}
        for row in found:
            kind = str(row.get("@odata.context") or row.get("@context") or "").rpartition("/")[2]
            if kind in ("$link", "$deletedLink"):
                continue
            if kind == "$deletedEntity" or "@removed" in row or "@odata.removed" in row:
                plain = self._removed(row)
            else:
                plain = self.plain(answer, row)
            name = repr([plain.get(key) for key in self._entity.keys])
            rows.pop(name, None)  # the last word on an entity counts
            rows[name] = plain
            partial.pop(name, None)
            if DELETED not in plain and any(each not in plain for each in self._stream.chosen):
                partial[name] = plain
        for some in portions(list(partial.items()), ASKED_AT_ONCE):
            rows |= self._completed(dict(some))
        return [row for name, row in rows.items() if row is not partial.get(name)]

    def _completed(self, partial: Mapping[str, Row]) -> dict[str, Row]:
        """Entities of which only what changed was told, as the service may (15.2), read by their keys."""
        kinds = {key: self._entity.properties[key].type for key in self._entity.keys}
        each = [" and ".join(f"{k} eq {literal(t, row.get(k))}" for k, t in kinds.items()) for row in partial.values()]
        answer = self._stream.among(" or ".join(f"({one})" for one in each))
        found = [self.plain(answer, row) for row in self._stream.listed(answer)]
        return {repr([row.get(key) for key in self._entity.keys]): row for row in found}

    def _removed(self, row: Row) -> Row:
        """The key of a removed entity: its own properties, or out of its id (15.3)."""
        now = datetime.now(UTC).isoformat()
        keys = self._entity.keys
        id_ = row.get("@odata.id") or row.get("@id") or row.get("id")
        if all(key in row for key in keys) and ("id" not in keys or "@odata.context" not in row):
            values = {key: row[key] for key in keys}
        else:
            values = self._key_in(str(id_ or ""))
        found = {key: self._converters.get(key, _same)(value) for key, value in values.items()}
        return {**found, DELETED: now}

    def _key_in(self, id_: str) -> dict[str, Any]:
        """``Orders(Order=1,Line=2)``, ``Customers('ANTON')``, ``Customers/7``, or the only key as it is."""
        text = unquote(id_)
        found = _PREDICATE.search(text)
        inner = found[1] if found else text.rpartition("/")[2]
        pairs = [(name or self._entity.keys[0], value) for name, value in _PAIR.findall(inner)]
        if {name for name, _ in pairs} != set(self._entity.keys):
            what = "a removed entity does not tell its key"
            raise ContractError(self._stream.where, what, "leave it out in setting delta, to be read whole")
        return {name: self._value(name, value) for name, value in pairs}

    def _value(self, name: str, text: str) -> Any:
        if text.startswith("'"):
            return text[1:-1].replace("''", "'")
        return int(text) if self._entity.properties[name].type in INTEGERS else text


def portions(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """The items in portions."""
    return [items[at : at + size] for at in range(0, len(items), size)]


def _bare(value: Any) -> Any:
    """What came along, without annotations."""
    if isinstance(value, list):
        return [_bare(each) for each in value]
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items() if "@" not in name}
    return value


def _same(value: Any) -> Any:
    return value
