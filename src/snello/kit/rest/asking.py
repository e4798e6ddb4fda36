"""What passes between a stream, its paging and the client: a page's token, what it adds to a request, its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from singer_sdk.helpers.jsonpath import extract_jsonpath

from snello.kit.http import Answer

Row = dict[str, Any]
Token = Any  # a JSON value: the state keeps it


@dataclass(frozen=True)
class Ask:
    """What a page adds to its stream's request; ``url`` stands for the whole address and is followed as it is."""

    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None


@dataclass(frozen=True)
class Request:
    """A request, whole but for the credentials."""

    method: str
    url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Send = Callable[[Request], Answer]
"""Sends a request of a stream: its answer, checked as every answer of the stream is."""


class Paging(Protocol):
    """One way in which an interface hands out its pages."""

    @property
    def first(self) -> Token:
        """Token of the first page."""

    def ask(self, token: Token) -> Ask:
        """What asks for the page of a token."""

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        """Token of the page after this one; None after the last."""

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        """Tokens of the pages after this one that can be asked for at once; None when each needs the answer before."""

    def total(self, answer: Answer) -> int | None:
        """How many rows there are in all, where the interface tells."""


def found(answer: Answer, path: str | None) -> Any:
    """A value at a JSONPath of the document (``$…``) or in a header; None when it is not there."""
    if path is None:
        return None
    if not path.startswith("$"):
        return answer.headers.get(path)
    return next(iter(extract_jsonpath(path, answer.document)), None)


def number(answer: Answer, path: str | None) -> int | None:
    """A count at a JSONPath or in a header; None when there is none."""
    value = found(answer, path)
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isdigit() else None
