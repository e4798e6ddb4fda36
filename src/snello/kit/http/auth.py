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


@dataclass(frozen=True)
class Login:
    """How credentials are fetched.

    - ``where``: who asks, for messages
    - ``post(url, faults, json=, data=, auth=)``: the answer to a request that is not signed
    """

    where: str
    post: Callable[..., Answer]


class Credentials(Protocol):
    """What puts a name to requests; safe to call from several threads."""

    def current(self) -> str:
        """The token in force, fetched when there is none; empty where there is no such thing."""

    def sign(self, request: requests.PreparedRequest, token: str) -> None:
        """Put the token on a request."""

    def renew(self, token: str) -> bool:
        """See that the token in force is another than this one, which was refused; False when there is no way to."""


class Auth(Protocol):
    """A way of authenticating."""

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of the settings it lives on, told when the server refuses them."""

    def bind(self, config: Mapping[str, Any], login: Login) -> Credentials:
        """Credentials out of a configuration; nothing is sent before the first request."""


def value_of(config: Mapping[str, Any], name: str, where: str = "auth") -> str:
    """A setting as text. Raises ``ConfigError`` when it is not given."""
    given = config.get(name)
    if given is None:
        raise ConfigError(where, f"setting {name} is missing", f"set {name}")
    return str(given.get_secret_value() if isinstance(given, SecretStr) else given)


@dataclass(frozen=True)
class Fixed:
    """Credentials that never change, in a header or a query parameter."""

    settings: tuple[str, ...]
    value: Callable[..., str]
    header: str = "Authorization"
    param: str | None = None

    def bind(self, config: Mapping[str, Any], login: Login) -> Credentials:
        """The header or the parameter with the values of the settings."""
        values = [value_of(config, name) for name in self.settings]
        redact.hide(values[-1])
        return Shown(self.value(*values), self.header, self.param)


@dataclass(frozen=True)
class Shown:
    """A value that goes with each request as it is."""

    value: str
    header: str = "Authorization"
    param: str | None = None

    def current(self) -> str:
        """Empty: there is but one value."""
        return ""

    def sign(self, request: requests.PreparedRequest, token: str) -> None:
        """Put the value on a request."""
        if self.param is None:
            request.headers[self.header] = self.value
        else:
            request.prepare_url(request.url or "", {self.param: self.value})

    def renew(self, token: str) -> bool:
        """False: a person has to."""
        return False


def basic(user: str, password: str) -> Auth:
    """HTTP Basic authentication with the values of two settings."""
    return Fixed((user, password), _basic)


def is_password(credentials: Credentials | None) -> bool:
    """Whether a person's password goes along: servers lock accounts after some wrong ones."""
    return isinstance(credentials, Shown) and credentials.value.startswith("Basic ")


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def bearer(token: str) -> Auth:
    """A bearer token from a setting."""
    return Fixed((token,), "Bearer {}".format)


def api_key(key: str, header: str = "X-Api-Key", param: str | None = None, prefix: str = "") -> Auth:
    """A key from a setting, in a header of its own after ``prefix``, or in the query parameter ``param``."""
    return Fixed((key,), lambda value: f"{prefix}{value}", header, param)
