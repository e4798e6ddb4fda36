"""The ways of paging, as values: each asks for a page by its token and finds the next one.

A JSONPath begins with ``$``; where a header will do, its name stands instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urljoin

from snello.kit.http import Answer
from snello.kit.rest.asking import Ask, Paging, Row, Token, found, number

Size = tuple[str, int] | None
Behind = Callable[[Answer, Sequence[Row], Token], Token]


@dataclass(frozen=True)
class _Single:
    first: Token = None

    def ask(self, token: Token) -> Ask:
        return Ask()

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        return None

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        return None

    def total(self, answer: Answer) -> int | None:
        return None


def single_page() -> Paging:
    """Everything in one answer."""
    return _Single()


@dataclass(frozen=True)
class _Numbers:
    param: str
    per_page: Size
    first: Token
    step: int
    total_pages: str | None
    total_rows: str | None
    in_body: bool

    def ask(self, token: Token) -> Ask:
        given = {self.param: token, **(dict([self.per_page]) if self.per_page else {})}
        return Ask(body=given) if self.in_body else Ask(given)

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        pages, total = number(answer, self.total_pages), self.total(answer)
        if pages is not None:
            return token + self.step if token - self.first + self.step < pages * self.step else None
        if not rows:
            return None
        step = len(rows) if self._by_rows else self.step
        return None if total is not None and self._done(rows, token) >= total else token + step

    def _done(self, rows: Sequence[Row], token: Token) -> int:
        """Rows read with this page, as far as that is certain."""
        if self._by_rows or token == self.first:
            return int(token - self.first) + len(rows)
        if self.per_page is None or len(rows) < self.per_page[1]:
            return 0  # the last page, or one of a server that hands out less than was asked for
        return int(token - self.first + 1) * self.per_page[1]

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        if self._by_rows and len(rows) < self.step:
            return None  # the server hands out less than was asked for: where the next page begins is its affair
        pages, total = number(answer, self.total_pages), self.total(answer)
        if pages is None and total is not None and rows:
            size = self.step if self._by_rows else len(rows)
            pages = -(-total // size)
        if pages is None:
            return count(token + self.step, self.step)
        return iter(range(token + self.step, self.first + pages * self.step, self.step))

    def total(self, answer: Answer) -> int | None:
        return number(answer, self.total_rows)

    @property
    def _by_rows(self) -> bool:
        return self.step > 1


def page_number(
    param: str = "page",
    per_page: Size = None,
    *,
    first: int = 1,
    total_pages: str | None = None,
    total_rows: str | None = None,
    in_body: bool = False,
) -> Paging:
    """Numbered pages, until the total that the interface tells, or until an empty page; links are not believed.

    - ``per_page``: the parameter for the size of a page, and the size
    - ``in_body``: the numbers go into the body, not into the query
    """
    return _Numbers(param, per_page, first, 1, total_pages, total_rows, in_body)


def offset(
    param: str = "offset",
    limit: tuple[str, int] = ("limit", 100),
    *,
    total_rows: str | None = None,
    in_body: bool = False,
) -> Paging:
    """Pages by the number of rows before them, counted from the rows that came, never from what the server echoes."""
    return _Numbers(param, limit, 0, limit[1], None, total_rows, in_body)


@dataclass(frozen=True)
class _Cursor:
    path: str
    param: str | None
    body: str | None
    more: str | None
    total_rows: str | None
    extra: Mapping[str, Any] = field(default_factory=dict)
    first: Token = None

    def ask(self, token: Token) -> Ask:
        if self.body is not None:
            return Ask(body={**self.extra, **({self.body: token} if token is not None else {})})
        return Ask({**self.extra, **({self.param: token} if token is not None and self.param else {})})

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        if self.more is not None and not found(answer, self.more):
            return None
        return found(answer, self.path) or None

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        return None

    def total(self, answer: Answer) -> int | None:
        return number(answer, self.total_rows)


def cursor(
    path: str,
    param: str | None = None,
    *,
    body: str | None = None,
    more: str | None = None,
    limit: Size = None,
    total_rows: str | None = None,
) -> Paging:
    """A token in the answer, to be sent back in the query parameter ``param`` or in the field ``body`` of the body.

    - ``more``: where the answer says whether there is another page
    - ``limit``: the parameter or field for the size of a page, and the size
    """
    return _Cursor(path, param, body, more, total_rows, dict([limit]) if limit else {})


@dataclass(frozen=True)
class _NextLink:
    path: str | None
    total_rows: str | None
    first: Token = None

    def ask(self, token: Token) -> Ask:
        return Ask(url=token)

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        link = answer.links.get("next") if self.path is None else found(answer, self.path)
        return urljoin(answer.url, link) if link else None

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        return None

    def total(self, answer: Answer) -> int | None:
        return number(answer, self.total_rows)


def next_link(path: str | None = None, *, total_rows: str | None = None) -> Paging:
    """The next page's address, at a JSONPath in the answer or in its ``Link`` header."""
    return _NextLink(path, total_rows)


@dataclass(frozen=True)
class _Keyset:
    by: tuple[str, ...] | Behind
    asks: Callable[[Any], Ask]
    size: int | None
    total_rows: str | None
    first: Token = None

    def ask(self, token: Token) -> Ask:
        return self.asks(token)

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        if callable(self.by):
            return self.by(answer, rows, token)
        if not rows or (self.size is not None and len(rows) < self.size):
            return None
        return [rows[-1].get(name) for name in self.by]

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        return None

    def total(self, answer: Answer) -> int | None:
        return number(answer, self.total_rows)


def is_steady(paging: Paging) -> bool:
    """Whether a token means the same place however rows come and go in front of it."""
    return isinstance(paging, _Keyset)


def keyset(
    by: tuple[str, ...] | Behind,
    asks: Callable[[Any], Ask],
    *,
    size: int | None = None,
    total_rows: str | None = None,
) -> Paging:
    """Pages that begin behind the last row of the page before, by its values of ``by``, as in ``(time, id)``.

    - ``by``: names of the values; or a function of an answer, its rows and what they were asked for behind, which
      tells what the next page is behind, None after the last
    - ``asks``: what asks for the rows behind such values; of the first page, for None
    - ``size``: rows of a full page; a smaller one is the last. Without it the last page is an empty one
    """
    return _Keyset(by, asks, size, total_rows)
