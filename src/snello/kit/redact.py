"""Clean logs: secrets, e-mail addresses and passwords in URLs are struck out of every line before it is written."""

from __future__ import annotations

import json
import logging
import re
from typing import Any
from urllib.parse import quote

STRUCK = "***"
SHORTEST_SECRET = 4  # a shorter one would strike out ordinary words

_PATTERNS = (
    (re.compile(r"(?<=://)([^\s/:@'\"]*):[^\s/'\"]*@"), rf"\1:{STRUCK}@"),
    (re.compile(r"\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1 {STRUCK}"),
    (
        re.compile(
            r"((?:api[_-]?key|access[_-]?key|consumer[_-]?(?:key|secret)|client[_-]?secret|secret|password|passwd|pwd|"
            r"token|signature)[\"']?\s*[=:]\s*)(?:([\"'])(?:(?!\2).)*\2|[^\s&,;\"'}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1\2{STRUCK}\2",
    ),
    (re.compile(r"[\w.!#$%&+=~-]+@[\w-]+(?:\.[\w-]+)+"), STRUCK),
)

_hidden: set[str] = set()


def hide(secret: str | None) -> None:
    """Strike this value out of every later line, as it is and as JSON or a URL would write it."""
    if secret and len(secret) >= SHORTEST_SECRET:
        _hidden.update({secret, quote(secret, safe=""), json.dumps(secret)[1:-1]})


def forget() -> None:
    """Hide nothing any longer, for tests."""
    _hidden.clear()


def scrub(text: str) -> str:
    """The text without the hidden values, URL passwords, credentials and e-mail addresses."""
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, STRUCK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class ScrubbingFormatter(logging.Formatter):
    """Formats as another formatter does, then scrubs: what no filter sees (arguments, tracebacks) is clean too."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self.inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """One clean line, or several for a traceback."""
        return scrub(self.inner.format(record))


def install() -> None:
    """Scrub what every handler configured so far writes; a second call changes nothing."""
    loggers: list[Any] = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if not isinstance(handler.formatter, ScrubbingFormatter):
                handler.setFormatter(ScrubbingFormatter(handler.formatter))
