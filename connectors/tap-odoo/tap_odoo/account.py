"""Who reads, and in which way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

from snello.kit import redact
from snello.kit.http import bearer
from snello.kit.http.auth import Auth, value_of
from snello.kit.rest import ConfigError, ContractError
from tap_odoo.faults import refused

Interface = Literal["jsonrpc", "json2"]


class Account:
    """Settings, and over JSON-RPC the user's number, asked for once; a refusal is not asked for again."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.by_rpc = config.get("interface", "jsonrpc") == "jsonrpc"
        self.auth: Auth | None = None if self.by_rpc else bearer("api_key")
        self._user: int | None = None
        self._refusal: ConfigError | ContractError | None = None

    @cached_property
    def key(self) -> str:
        """The API key, hidden from every log."""
        key = value_of(self.config, "api_key", "tap-odoo")
        redact.hide(key)
        return key

    def user(self, authenticate: Callable[[str], Any]) -> int:
        """The user's number, as ``authenticate`` tells it of a login. Raises ``ConfigError`` for an unknown one."""
        if self._refusal is not None:
            raise self._refusal
        if self._user is None:
            login = value_of(self.config, "login", "tap-odoo")
            try:
                found = authenticate(login)
                if not found:
                    raise refused()
            except (ConfigError, ContractError) as refusal:
                self._refusal = refusal
                raise
            self._user = int(found)
        return self._user
