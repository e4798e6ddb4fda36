"""Taps over HTTP, declared: a stream says its path, keys, auth and paging; the loop, retries and faults are here."""

from snello.kit.rest.auth import Auth, api_key, basic, bearer
from snello.kit.rest.paging import Paging, cursor, next_link, page_number, single_page
from snello.kit.rest.retry import Retry
from snello.kit.rest.stream import RestStream
from snello.kit.rest.tap import RestTap

__all__ = [
    "Auth",
    "Paging",
    "RestStream",
    "RestTap",
    "Retry",
    "api_key",
    "basic",
    "bearer",
    "cursor",
    "next_link",
    "page_number",
    "single_page",
]
