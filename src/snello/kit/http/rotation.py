"""A refresh token that each use replaces: kept on disk before it counts, and used by one process at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from filelock import FileLock, Timeout

from snello.errors import ConfigError, RetryLater
from snello.kit import redact
from snello.kit.http.tokens import Token
from snello.kit.places import keyed_hash, state_folder, write_private

BUSY = 120.0  # seconds to wait for another process's login


class Rotation:
    """The line of tokens that descends from the one in the setting; a new one in the setting begins a new line.

    - ``origin``: address of the login, client and the setting's refresh token; they are hashed
    - ``exchange``: access token, its end, and the next refresh token if there is one, for a refresh token
    """

    def __init__(
        self, origin: tuple[str, ...], given: str, exchange: Callable[[str], Mapping[str, Any]], where: str = "auth"
    ) -> None:
        self._given, self._exchange, self._where = given, exchange, where
        self._origin = origin

    def fetch(self, refused: str) -> Token:
        """A token other than the one refused: another process's when that still holds, else a new one.

        Raises ``ConfigError`` before anything is sent when the next token could not be kept: it would be lost.
        """
        path = state_folder("tokens") / f"{keyed_hash(*self._origin)}.json"
        try:
            with FileLock(path.with_suffix(".lock"), timeout=BUSY, mode=0o600):
                known = self._known(path.read_bytes() if path.exists() else b"{}")
                token = Token(known.get("access", ""), known.get("until"))
                if token.text and token.text != refused and token.good:
                    return token
                current = known.get("refresh") or self._given
                write_private(path, json.dumps({**known, "refresh": current}).encode())
                fresh = self._exchange(current)
                redact.hide(fresh.get("refresh"))
                write_private(path, json.dumps({**fresh, "refresh": fresh.get("refresh") or current}).encode())
        except Timeout:
            cure = "run again later: nothing is lost"
            raise RetryLater(self._where, "another process holds the login", cure) from None
        except OSError as error:
            what = f"the refresh token cannot be kept ({type(error).__name__})"
            raise ConfigError(self._where, what, "set SNELLO_STATE to a folder that can be written to") from None
        return Token(fresh["access"], fresh["until"])

    def _known(self, content: bytes) -> dict[str, Any]:
        try:
            known = json.loads(content)
        except ValueError:
            known = None
        if not isinstance(known, dict):
            return {}
        redact.hide(known.get("refresh"))
        redact.hide(known.get("access"))
        return known
