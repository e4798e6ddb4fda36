"""The walk over a listing: its pages in order, several in flight where that is allowed, none of them twice."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from snello.errors import ContractError
from snello.kit.http import Answer
from snello.kit.rest.asking import Paging, Row, Token

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Page:
    """One page: where it came from, its rows, and the token of the next one."""

    token: Token
    answer: Answer
    rows: Sequence[Row]
    following: Token


class Ahead(Generic[Item, Result]):
    """What ``work`` makes of each item, in their order, begun before it is asked for: ``window`` of them at once."""

    def __init__(self, pool: Executor, items: Iterable[Item], work: Callable[[Item], Result], window: int) -> None:
        self._pool, self._items, self._work = pool, iter(items), work
        self._waiting = deque((item, pool.submit(work, item)) for item in islice(self._items, window))

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def first(self) -> Item:
        """The item whose result comes next."""
        return self._waiting[0][0]

    def take(self) -> Result:
        """The next result. Raises what its work raised."""
        result = self._waiting.popleft()[1].result()
        self._waiting.extend((item, self._pool.submit(self._work, item)) for item in islice(self._items, 1))
        return result

    def close(self) -> None:
        """Begin nothing more."""
        while self._waiting:
            self._waiting.popleft()[1].cancel()


class Walk:
    """The pages of one listing.

    - ``fetch``: the page of a token
    - ``pool``, ``window``: asks for pages ahead, so many at once
    - ``key``: what a row is told by; two pages with the same keys are one page
    """

    def __init__(
        self,
        where: str,
        paging: Paging,
        fetch: Callable[[Token], Page],
        *,
        pool: Executor,
        window: int = 1,
        key: Sequence[str] = (),
    ) -> None:
        self.where, self.paging, self.fetch = where, paging, fetch
        self.pool, self.window, self.key = pool, window, tuple(key)
        self.count = self.rows = 0
        self._total: int | None = None
        self._tokens: set[bytes] = set()
        self._contents: set[bytes] = set()

    def pages(self, begun: Page) -> Generator[Page, None, None]:
        """The pages from one that was fetched.

        Raises ``ContractError`` for a page seen before, or on another server, and for fewer rows than the interface
        tells.
        """
        page, whole = begun, begun.token == self.paging.first
        self._total = self.paging.total(page.answer)
        self._check(page)
        ahead: Ahead[Token, Page] | None = None
        try:
            while not self._is_last(page, whole):
                ahead = self._ahead(page, ahead)
                yield page
                page = ahead.take()
                self._check(page)
            yield replace(page, following=None)
            if whole:
                self._check_total(page)
        finally:
            if ahead is not None:
                ahead.close()

    def _ahead(self, page: Page, ahead: Ahead[Token, Page] | None) -> Ahead[Token, Page]:
        """What is asked for while the caller works on a page; the page that follows it comes first."""
        if ahead and ahead.first == page.following:
            return ahead
        if ahead:  # the page was shorter than foreseen: the next one begins elsewhere
            ahead.close()
        tokens = self.paging.ahead(page.answer, page.rows, page.token) or iter(())
        first = next(tokens, None)
        if first != page.following:
            return Ahead(self.pool, (page.following,), self.fetch, 1)
        return Ahead(self.pool, chain((first,), tokens), self.fetch, self.window)

    def _is_last(self, page: Page, whole: bool) -> bool:
        """Whether no page follows: the paging says so, or all rows that are told of came on numbered pages."""
        numbered = whole and isinstance(page.following, int) and self._total == self.paging.total(page.answer)
        return page.following is None or (numbered and self._total is not None and self.rows >= self._total)

    def _check_total(self, last: Page) -> None:
        told = [total for total in (self._total, self.paging.total(last.answer)) if total is not None]
        if told and self.rows < min(told):
            what = f"the interface tells of {min(told):,} rows and handed out {self.rows:,}"
            raise ContractError(self.where, what, "run again; when it stays so, check the paging: no state was kept")

    def _check(self, page: Page) -> None:
        self.count += 1
        self.rows += len(page.rows)
        if page.rows:
            content = page_digest(page.rows, self.key)
            if content in self._contents:
                raise self._circle(f"page {self.count} repeats an earlier one")
            self._contents.add(content)
        self._tokens.add(_digest(page.token))
        following = page.following
        if following is None:
            return
        if _digest(following) in self._tokens:
            raise self._circle(f"after page {self.count} the server points back to a page already read")
        if isinstance(following, str) and "://" in following and _host(following) != _host(page.answer.url):
            raise self._circle(f"after page {self.count} the server points to another server")

    def _circle(self, what: str) -> ContractError:
        return ContractError(self.where, what, "check the paging of the interface; no state was kept, run again")


def page_digest(rows: Sequence[Row], key: Sequence[str]) -> bytes:
    """What a page is told by: its rows' keys where they lie open, else all that its rows hold."""
    names = [[row.get(name) for name in key] for row in rows]
    return _digest(names if key and not any(None in each for each in names) else rows)


def _digest(value: object) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(value), digest_size=16).digest()


def _host(url: str) -> str:
    return urlsplit(url).netloc
