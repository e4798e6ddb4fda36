"""How a tap shows who it is: values that name settings, and know the header these become."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Auth:
    """Credentials of a request.

    - ``settings``: the settings they come from, named when the server refuses them
    """

    settings: tuple[str, ...]
    header: str
    value: Callable[..., str]

    def headers(self, config: Mapping[str, Any]) -> dict[str, str]:
        """The header for a configuration."""
        return {self.header: self.value(*(str(config[name]) for name in self.settings))}


def basic(user: str, password: str) -> Auth:
    """HTTP Basic authentication with the values of two settings."""
    return Auth((user, password), "Authorization", _basic)


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def bearer(token: str) -> Auth:
    """A bearer token from a setting."""
    return Auth((token,), "Authorization", "Bearer {}".format)


def api_key(key: str, header: str = "X-Api-Key") -> Auth:
    """A key from a setting, in a header of its own."""
    return Auth((key,), header, str)
