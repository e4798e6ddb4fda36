"""Loaded by the Tryton server: to a client that takes no compression it must not say that an answer is compressed.

Tryton 8.2 writes ``Content-Encoding: gzip`` over every longer answer, whether it compressed it or not; a proxy between
tap and server that asks for plain answers would find none readable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


class Honest:
    """The server, with that header only where it is true."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        compressed = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kept = [header for header in headers if compressed or header[0].lower() != "content-encoding"]
            return start_response(status, kept, *more)

        return self.app(environ, start)
