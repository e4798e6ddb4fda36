"""What was asked and what came, a JSON line a request, in the file that ``SNELLO_TRACE`` names."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from snello.errors import ConfigError
from snello.kit import redact

LONGEST = 40  # characters; a longer value may be a key
_lock = threading.Lock()


@dataclass(frozen=True)
class Trace:
    """One request as it went."""

    where: str
    place: str
    url: str
    attempt: int

    def write(self, outcome: int | str, content: int, seconds: float) -> None:
        """Append a line when a trace is wanted.

        - ``outcome``: the status, or the kind of fault that came in its stead
        - ``content``: bytes of the answer
        """
        path = os.environ.get("SNELLO_TRACE")
        if path:
            line = json.dumps({**self._request(), **_answer(outcome, content, seconds)})
            try:
                with _lock, open(path, "a", opener=_private) as file:
                    file.write(line + "\n")
            except OSError as error:
                what = f"the file cannot be written to ({type(error).__name__})"
                raise ConfigError("SNELLO_TRACE", what, "name another file, or none") from None

    def _request(self) -> dict[str, Any]:
        parts = urlsplit(self.url)
        method, _, path = self.place.partition(" ")
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            query.setdefault(redact.scrub(name), []).append(_shown(name, value))
        host = parts.hostname or ""
        return {
            "where": redact.scrub(self.where),
            "method": method,
            "host": f"{host}:{parts.port}" if parts.port else host,
            "path": "/".join(_segment(segment) for segment in path.split("/")),
            "query": query,
            "attempt": self.attempt,
        }


def _answer(outcome: int | str, content: int, seconds: float) -> dict[str, Any]:
    key = "status" if isinstance(outcome, int) else "fault"
    return {key: outcome, "ms": round(seconds * 1000), "bytes": content}


def _segment(segment: str) -> str:
    clean = redact.scrub(unquote(segment))
    return segment if clean == unquote(segment) and len(segment) <= LONGEST else redact.STRUCK


def _shown(name: str, value: str) -> str:
    secret = redact.scrub(f"{name}={value}") != f"{name}={value}"
    return redact.STRUCK if secret or len(value) > LONGEST else value


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
