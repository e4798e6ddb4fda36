"""Streams over interfaces that speak JSON:API: resource objects become flat rows, links are followed only onwards.

    class Contacts(JsonApiStream):
        name, path, primary_keys = "contacts", "/module/Contacts", ("id",)
        replication_key, since = "date_modified", "filter[date_modified][gte]"

A resource ``{"type": .., "id": .., "attributes": {"first-name": ..}, "relationships": {"owner": {"data": {..}}}}``
becomes ``{"id": .., "type": .., "first_name": .., "owner_id": ..}``; a relationship to several becomes ``<name>_ids``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from snello.kit.http import Answer
from snello.kit.rest.asking import Ask, Paging, Request, Row, Token, number
from snello.kit.rest.bookmarks import Mark
from snello.kit.rest.errors import Errors
from snello.kit.rest.stream import RestStream

MEDIA_TYPE = "application/vnd.api+json"
NUMBER, SIZE = "page[number]", "page[size]"
PASSING = frozenset({"408", "425", "429", "500", "502", "503", "504"})

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True)
class _Pages:
    size: int
    total_pages: str
    total_rows: str
    first: Token

    def ask(self, token: Token) -> Ask:
        return Ask(url=token) if isinstance(token, str) else Ask({NUMBER: token, SIZE: self.size})

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        pages = number(answer, self.total_pages)
        if pages is not None and isinstance(token, int):
            return token + 1 if token - self.first + 1 < pages else None
        link = self._link(answer)
        if link is None:
            return None
        numbers = parse_qs(urlsplit(link).query).get(NUMBER, [""])[0]
        if numbers.isdigit() and isinstance(token, int):
            return int(numbers) if rows and int(numbers) > token else None
        return link

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        pages = number(answer, self.total_pages)
        return iter(range(token + 1, self.first + pages)) if pages is not None and isinstance(token, int) else None

    def total(self, answer: Answer) -> int | None:
        return number(answer, self.total_rows)

    def _link(self, answer: Answer) -> str | None:
        links = answer.document.get("links") if isinstance(answer.document, dict) else None
        link = links.get("next") if isinstance(links, dict) else None
        link = link.get("href") if isinstance(link, dict) else link
        return urljoin(answer.url, link) if isinstance(link, str) and link else None


def pages(
    size: int = 100, *, first: int = 1, total_pages: str = "$.meta['total-pages']", total_rows: str = "$.meta.total"
) -> Paging:
    """Numbered pages up to the total that ``meta`` tells; without one, ``links.next`` as long as it leads onwards.

    - ``total_pages``, ``total_rows``: JSONPaths
    """
    return _Pages(size, total_pages, total_rows, first)


class JsonApiStream(RestStream):
    """What every collection shares.

    - ``include``: relationships whose resources come along, as objects under the relationship's name
    - ``all_text``: the interface writes every value as text, as SuiteCRM does: values are read by the schema's types
    """

    records_jsonpath = "$.data[*]"
    headers: Mapping[str, str] = {"Accept": MEDIA_TYPE}
    paging: Paging = pages()
    errors: Errors | None = Errors("$.errors", code="$.errors[*].code")
    include: Sequence[str] = ()
    all_text: bool = False

    def request(self, ask: Ask, context: Mapping[str, Any], begin: Mark) -> Request:
        """The request for a page, with the relationships to include."""
        if self.include and not ask.url:
            ask = Ask({"include": ",".join(self.include), **ask.params}, ask.body, ask.headers)
        return super().request(ask, context, begin)

    def check(self, answer: Answer) -> None:
        """Raise for errors in the answer, whatever its status: by their own status, else by their codes."""
        found = answer.document.get("errors") if isinstance(answer.document, dict) else None
        told = [each for each in ([found] if isinstance(found, dict) else found or ()) if isinstance(each, dict)]
        statuses = {str(each.get("status")) for each in told}
        settings = self.auth.settings if self.auth else ()
        if statuses & (PASSING | {"401", "403"}):
            document = {"errors": [{"status": status} for status in sorted(statuses & (PASSING | {"401", "403"}))]}
            by_status = Errors("$.errors", "$.errors[*].status", PASSING, frozenset({"401"}), frozenset({"403"}))
            by_status.check(Answer(answer.method, answer.url, answer.status, {}, b"", document), self.where, settings)
        super().check(answer)

    def rows(self, answer: Answer) -> list[Row]:
        """The resources of the answer as flat rows."""
        found = super().rows(answer)
        along = {(each.get("type"), str(each.get("id"))): each for each in answer.document.get("included") or ()}
        return [self._typed(self._joined(each, along)) for each in found]

    def _joined(self, resource: Row, along: Mapping[tuple[Any, str], Row]) -> Row:
        row = flat(resource)
        for name in self.include:
            data = (resource.get("relationships") or {}).get(name, {}).get("data")
            some = [each for each in (data if isinstance(data, list) else [data]) if isinstance(each, dict)]
            known: list[Row] = [
                flat(along[key]) for each in some if (key := (each.get("type"), str(each.get("id")))) in along
            ]
            row[_plain(name)] = known if isinstance(data, list) else (known[0] if known else None)
        return row

    def _typed(self, row: Row) -> Row:
        if self.all_text:
            for name, convert in self._converters.items():
                if isinstance(row.get(name), str):
                    row[name] = convert(row[name])
        return row

    @cached_property
    def _converters(self) -> dict[str, Callable[[str], Any]]:
        declared: dict[str, Any] = self.schema["properties"]
        found = {name: _converter(each) for name, each in declared.items()}
        return {name: convert for name, convert in found.items() if convert is not None}


def flat(resource: Mapping[str, Any]) -> Row:
    """A resource object as a row; its own id and type before attributes of these names, dashes as underscores."""
    row = {_plain(name): value for name, value in (resource.get("attributes") or {}).items()}
    for name, told in (resource.get("relationships") or {}).items():
        data = told.get("data") if isinstance(told, Mapping) else None
        if isinstance(data, list):
            row[f"{_plain(name)}_ids"] = [each.get("id") for each in data]
        elif isinstance(data, Mapping):
            row[f"{_plain(name)}_id"] = data.get("id")
    return {**row, "id": resource.get("id"), "type": resource.get("type")}


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _converter(declared: Mapping[str, Any]) -> Callable[[str], Any] | None:
    """What reads a text as the declared type; a text that is none of that type stays, and is refused with its row."""
    kinds = declared.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "boolean" in kinds:
        return lambda text: True if text.lower() in _TRUE else False if text.lower() in _FALSE else text or None
    if "integer" in kinds:
        return lambda text: _or_as_it_is(int, text)
    if "number" in kinds:
        return lambda text: _or_as_it_is(float, text)
    return (lambda text: text or None) if declared.get("format") else None


def _or_as_it_is(kind: Callable[[str], Any], text: str) -> Any:
    try:
        return kind(text) if text else None
    except ValueError:
        return text
