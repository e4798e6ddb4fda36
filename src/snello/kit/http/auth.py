"""How a connector shows who it is: values that name settings, and become credentials with a configuration."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests
from pydantic import SecretStr

from snello.errors import ConfigError
from snello.kit import redact
from snello.kit.http.answer import Answer

Login = Callable[..., Answer]


class Credentials(Protocol):
    """What puts a name to requests; safe to call from several threads."""

    def sign(self, request: requests.PreparedRequest) -> str:
        """Put the credentials on a request; what returns marks the token that was used."""

    def renew(self, mark: str) -> bool:
        """Get new ones in place of those with that mark; False when there is no way to."""


class Auth(Protocol):
    """A way of authenticating.

    - ``settings``: the settings it lives on, named when the server refuses them
    """

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of the settings it lives on."""

    def bind(self, config: Mapping[str, Any], login: Login) -> Credentials:
        """Credentials out of a configuration; ``login(method, url, ...)`` makes requests that are not signed."""


def value_of(config: Mapping[str, Any], name: str) -> str:
    """A setting as text, hidden from every log. Raises ``ConfigError`` when it is not given."""
    given = config.get(name)
    value = given.get_secret_value() if isinstance(given, SecretStr) else given
    if value is None:
        raise ConfigError(f"setting {name}", "it is missing", f"set {name}")
    redact.hide(str(value) if isinstance(given, SecretStr) else None)
    return str(value)


@dataclass(frozen=True)
class Fixed:
    """Credentials that never change: a header, or a query parameter."""

    settings: tuple[str, ...]
    value: Callable[..., str]
    header: str = "Authorization"
    param: str | None = None

    def bind(self, config: Mapping[str, Any], login: Login) -> Credentials:
        """The header or the parameter with the values of the settings."""
        value = self.value(*(value_of(config, name) for name in self.settings))
        redact.hide(value.rpartition(" ")[2])
        return _Bound(value, self.header, self.param)


@dataclass(frozen=True)
class _Bound:
    value: str
    header: str
    param: str | None

    def sign(self, request: requests.PreparedRequest) -> str:
        if self.param is None:
            request.headers[self.header] = self.value
        else:
            request.prepare_url(request.url, {self.param: self.value})
        return ""

    def renew(self, mark: str) -> bool:
        return False


def basic(user: str, password: str) -> Auth:
    """HTTP Basic authentication with the values of two settings."""
    return Fixed((user, password), _basic)


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def bearer(token: str) -> Auth:
    """A bearer token from a setting."""
    return Fixed((token,), "Bearer {}".format)


def api_key(key: str, header: str = "X-Api-Key", param: str | None = None, prefix: str = "") -> Auth:
    """A key from a setting, in a header of its own after ``prefix``, or in the query parameter ``param``."""
    return Fixed((key,), lambda value: f"{prefix}{value}", header, param)
