"""How an interface hands out its pages: values that ask for a page and find the next, and a guard against circles."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from singer_sdk.helpers.jsonpath import extract_jsonpath
from singer_sdk.pagination import BaseAPIPaginator

from snello.errors import ContractError

Token = Any


@dataclass(frozen=True)
class Paging:
    """One way of paging.

    - ``first``: token of the first page
    - ``params``: query parameters that ask for the page of a token
    - ``following``: token of the next page, by the answer and the token of this one; none after the last
    """

    first: Token
    params: Callable[[Token], dict[str, Any]]
    following: Callable[[requests.Response, Token], Token]


def single_page() -> Paging:
    """Everything in one answer."""
    return Paging(None, lambda token: {}, lambda response, token: None)


def page_number(
    param: str = "page", per_page: tuple[str, int] | None = None, total_pages_header: str | None = None
) -> Paging:
    """Pages counted from 1, until the total that a header tells, or until an empty page.

    - ``per_page``: the parameter for the size of a page, and the size
    """
    size = dict([per_page]) if per_page else {}

    def following(response: requests.Response, page: int) -> int | None:
        total = response.headers.get(total_pages_header or "", "")
        return None if total.isdigit() and page >= int(total) else page + 1

    return Paging(1, lambda page: {param: page, **size}, following)


def cursor(path: str, param: str) -> Paging:
    """A token in the answer, at a JSONPath, to be sent back in a parameter."""

    def following(response: requests.Response, token: Token) -> Token:
        return next(iter(extract_jsonpath(path, response.json())), None)

    return Paging(None, lambda token: {param: token} if token else {}, following)


def next_link(path: str | None = None) -> Paging:
    """The next page's address, at a JSONPath in the answer or in its ``Link`` header."""

    def following(response: requests.Response, token: Token) -> Token:
        if path is None:
            link = response.links.get("next", {}).get("url")
        else:
            link = next(iter(extract_jsonpath(path, response.json())), None)
        return urljoin(response.url, link) if link else None

    return Paging(None, lambda token: {}, following)


class Pages(BaseAPIPaginator[Token]):
    """The walk over one stream's pages. Refuses to visit a page twice: a circle would never end, or hide rows."""

    def __init__(self, paging: Paging, where: str) -> None:
        super().__init__(paging.first)
        self._paging, self._where = paging, where
        self._tokens = {paging.first}
        self._contents: set[bytes] = set()

    def get_next(self, response: requests.Response) -> Token:
        """Token of the next page. Raises ``ContractError`` for a page seen before, or on another server."""
        content = hashlib.blake2b(response.content, digest_size=16).digest()
        if content in self._contents:
            raise self._circle(f"page {self.count} repeats an earlier one")
        self._contents.add(content)
        token = self._paging.following(response, self.current_value)
        if token is None or token == "":
            return None
        if token in self._tokens:
            raise self._circle(f"after page {self.count} the server points back to a page already read")
        self._tokens.add(token)
        if isinstance(token, str) and "://" in token and urlsplit(token).netloc != urlsplit(response.url).netloc:
            raise self._circle(f"after page {self.count} the server points to another server")
        return token

    def _circle(self, what: str) -> ContractError:
        return ContractError(self._where, what, "check the paging of the interface; no state was kept, run again")
