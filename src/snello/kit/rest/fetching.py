"""The pages of one stream: asked for, walked, and gone on with where the last run was cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from functools import cached_property
from itertools import islice
from typing import Any

import msgspec

from snello.errors import RetryLater, SnelloError
from snello.kit.http import Answer, Client
from snello.kit.rest.asking import Request, Token
from snello.kit.rest.bookmarks import Bookmark, Mark
from snello.kit.rest.paging import is_steady
from snello.kit.rest.stream import RestStream
from snello.kit.rest.values import DECIMALS
from snello.kit.rest.walk import Ahead, Page, Walk, page_digest

Context = Mapping[str, Any]

_exact = msgspec.json.Decoder(float_hook=Decimal).decode


class Fetching:
    """Gets the pages of ``stream``."""

    def __init__(self, stream: RestStream) -> None:
        self.stream = stream

    @cached_property
    def client(self) -> Client:
        """What sends the requests."""
        return self.stream.host.client(self.stream)

    def fetch(self, context: Context, begin: Mark, token: Token) -> Page:
        """The page of a token."""
        stream = self.stream
        answer = self.sent(stream.request(stream.paging.ask(token), context, begin))
        rows = stream.rows(answer)
        following = stream.paging.following(answer, rows, token)
        return Page(token, answer, stream.completed(rows, self.sent), following)

    def sent(self, asked: Request) -> Answer:
        """The answer to a request of the stream, checked."""
        return self.client.send(
            asked.method,
            asked.url,
            params=asked.params or None,
            json=asked.json,
            headers=asked.headers,
            where=self.stream.where,
            decode=self._decode,
            check=self.stream.check,
            refusal=self.stream.refusal,
        )

    def pages(self, context: Context, begin: Mark = None) -> Iterator[Page]:
        """All pages of a listing, from ``begin`` where it is filtered."""
        apart = self.stream.apart(context, begin, self.sent)
        if apart is not None:
            yield from (Page(None, answer, rows, None) for answer, rows in apart)
            return
        first = self.fetch(context, begin, self.stream.paging.first)
        with closing(self._walk(context, begin).pages(first)) as pages:
            yield from pages

    def listings(self, contexts: Sequence[Context]) -> Iterator[tuple[Context, Page]]:
        """The pages of several listings, in their order; the first pages of some are asked for at once."""
        pool, window = self.stream.host.pool(self.stream)

        def begin(context: Context) -> tuple[Context, Page]:
            return context, self.fetch(context, None, self.stream.paging.first)

        ahead = Ahead(pool, contexts, begin, window)
        try:
            while ahead:
                context, first = ahead.take()
                with closing(self._walk(context, None).pages(first)) as pages:
                    for page in pages:
                        yield context, page
        finally:
            ahead.close()

    def resumed(self, bookmark: Bookmark) -> Iterator[Page]:
        """The pages from where the walk was cut off, or all of them when that place is gone."""
        if bookmark.resumed is not None:
            self.stream.logger.info("%s: going on where the last run was cut off", self.stream.where)
            page = self._place_again(bookmark)
            if page is not None:
                with closing(self._walk({}, bookmark.asked).pages(page)) as pages:
                    yield from pages if bookmark.behind is None else islice(pages, 1, None)
                return
            self.stream.logger.info("%s: that place is gone; reading from the beginning", self.stream.where)
            bookmark.restart()
        yield from self.pages({}, bookmark.asked)

    def note(self, bookmark: Bookmark, page: Page) -> None:
        """A page is written: let the state say where to go on."""
        steady = is_steady(self.stream.paging)
        bookmark.note(page.following, None if steady else (page.token, self._digest(page)))

    def _place_again(self, bookmark: Bookmark) -> Page | None:
        """The page to go on at, or the one written before it when that is still the same; None when it is not.

        Rows that came or went in front of the place have shifted the pages: rows behind it would be passed over.
        """
        token, told = bookmark.behind or (bookmark.resumed, None)
        try:
            page = self.fetch({}, bookmark.asked, token)
        except RetryLater:
            raise
        except SnelloError:
            return None
        return page if told is None or self._digest(page) == told else None

    def _digest(self, page: Page) -> str:
        return page_digest(page.rows, self.stream.primary_keys).hex()

    def _walk(self, context: Context, begin: Mark) -> Walk:
        stream = self.stream
        pool, window = stream.host.pool(stream)
        return Walk(
            stream.where,
            stream.paging,
            lambda token: self.fetch(context, begin, token),
            pool=pool,
            window=window,
            key=stream.primary_keys,
        )

    @cached_property
    def _decode(self) -> Callable[[bytes], Any] | None:
        """Decimals are read digit by digit where the schema has them."""
        formats = {each.get("format") for each in self.stream.schema["properties"].values()}
        return _exact if formats & DECIMALS else None
