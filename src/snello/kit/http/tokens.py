"""Tokens that are fetched when they are needed, kept while they hold, and fetched once when many need them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

import requests

from snello.errors import ConfigError, ContractError, SnelloError
from snello.kit import redact
from snello.kit.http.answer import Answer
from snello.kit.http.auth import value_of
from snello.kit.http.faults import Asked, Faults
from snello.kit.http.retry import Retry

EARLY = 60.0  # seconds before its end at which a token counts as used up, or a tenth of its life
CODES = frozenset(
    (
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    )
)


@dataclass(frozen=True)
class Token:
    """A token and the moment, in epoch seconds, from which a new one is wanted; none when it does not say."""

    text: str
    until: float | None = None

    @property
    def good(self) -> bool:
        """Whether it still holds."""
        return self.until is None or time.time() < self.until


class Fetched:
    """Credentials whose token comes from ``fetch(refused)``; threads that need one wait for the first to get it.

    - ``fetch`` is given the token that the server refused, or nothing
    - ``put`` writes a token on a request
    """

    def __init__(
        self, fetch: Callable[[str], Token], put: Callable[[requests.PreparedRequest, str], None] | None = None
    ) -> None:
        self._fetch, self._put = fetch, put or as_bearer
        self._token: Token | None = None
        self._lock = threading.Lock()

    def current(self) -> str:
        """The token in force, fetched when there is none."""
        with self._lock:
            if self._token is None or not self._token.good:
                self._token = self._fetch("")
            return self._token.text

    def sign(self, request: requests.PreparedRequest, token: str) -> None:
        """Put the token on a request."""
        self._put(request, token)

    def renew(self, token: str) -> bool:
        """Get another in place of this one, unless another thread did."""
        with self._lock:
            if self._token is None or self._token.text == token:
                self._token = self._fetch(token)
        return True


def as_bearer(request: requests.PreparedRequest, token: str) -> None:
    """The usual place of a token."""
    request.headers["Authorization"] = f"Bearer {token}"


@dataclass(frozen=True)
class LoginFaults(Faults):
    """The words for a login that is refused; ``codes``: the server's own that may be told, beside the standard's."""

    codes: frozenset[str] = frozenset()

    def of_status(self, answer: Answer, request: Asked, retry: Retry) -> Exception:
        """A refusal, with the server's word for it when it is one of the standard's."""
        usual = super().of_status(answer, request, retry)
        if not isinstance(usual, SnelloError) or not 400 <= answer.status < 500 or answer.status in (404, 410):
            return usual
        code = code_of(answer.content, self.codes)
        what = f"{answer.status} from {request.place}, the login is refused{f' ({code})' if code else ''}"
        return ConfigError(request.where, what, f"renew {self.credentials}")


def code_of(content: bytes, others: frozenset[str] = frozenset()) -> str:
    """The standard's code in a refusal, or one of others; empty for any other text, which may hold anything."""
    found = re.search(rb'"error"\s*:\s*"([A-Za-z_]{1,40})"', content)
    code = found[1].decode() if found else ""
    return code if code in CODES | others else ""


def token_of(answer: Answer, where: str) -> Token:
    """The access token of an answer by the OAuth 2 standard. Raises ``ContractError`` when there is none."""
    said = answer.document if isinstance(answer.document, Mapping) else {}
    text = said.get("access_token")
    if not isinstance(text, str) or not text:
        code = said.get("error") if said.get("error") in CODES else ""
        what = f"the answer of {answer.place} holds no access_token{f' ({code})' if code else ''}"
        raise ContractError(where, what, "check the URL of the login, and its settings")
    redact.hide(text)
    return Token(text, until_of(said.get("expires_in")))


def until_of(expires_in: Any) -> float | None:
    """The moment from which a new token is wanted, by how many seconds this one lives."""
    try:
        life = float(expires_in)
    except (TypeError, ValueError):
        return None
    return time.time() + life - min(EARLY, life / 10)


def filled(template: Any, config: Mapping[str, Any]) -> Any:
    """A text, or texts in lists and mappings, with settings for the braces."""
    if isinstance(template, Mapping):
        return {name: filled(value, config) for name, value in template.items()}
    if isinstance(template, list | tuple):
        return [filled(value, config) for value in template]
    if not isinstance(template, str):
        return template
    return template.format_map({name: value_of(config, name) for name in names_in(template)})


def address(template: str, config: Mapping[str, Any]) -> str:
    """A URL with settings for the braces; a path alone is below the setting ``url``."""
    whole = template if "://" in template or template.startswith("{") else "{url}/" + template.lstrip("/")
    values = {name: value_of(config, name).rstrip("/") for name in names_in(whole)}
    return whole.format_map(values)


def names_in(template: Any) -> Iterator[str]:
    """The settings that a template wants, each once, in their order."""
    if isinstance(template, Mapping):
        yield from dict.fromkeys(name for value in template.values() for name in names_in(value))
    elif isinstance(template, list | tuple):
        yield from dict.fromkeys(name for value in template for name in names_in(value))
    elif isinstance(template, str):
        yield from dict.fromkeys(name for _, name, _, _ in Formatter().parse(template) if name)
