"""Who may ask a Bluesky server, how often, and for how much at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import count
from typing import Any

from starlette.requests import Request

from snello.sandbox.emulators.bluesky_store import HANDLE

PASSWORD = "aaaa-bbbb-cccc-dddd"
EMAIL = "owner.of.aurora@example.org"
WINDOW = 300  # seconds


class XrpcRefused(Exception):
    """An answer in the protocol's envelope."""

    def __init__(self, status: int, code: str, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.words, self.headers = status, code, words, dict(headers or {})


class Rules:
    """Sessions and limits of one server.

    - ``requests``, ``logins``: how many in five minutes; ``life``: requests after which an access token has expired
    - ``taken_down``: whether the account is
    """

    def __init__(self, did: str, requests: int = 3000, logins: int = 30, life: int | None = None) -> None:
        self.did, self.requests, self.logins, self.life = did, requests, logins, life
        self.taken_down = False
        self.used: dict[str, int] = {}
        self._renews: dict[str, bool] = {}
        self._numbers = count(1)
        self._asked: list[float] = []
        self._begun: list[float] = []

    def begun(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A session for the handle, the id or the address of the account, and its app password."""
        self._within(self._begun, self.logins)
        name = str(given.get("identifier", "")).lower()
        if name not in (HANDLE, self.did, EMAIL) or given.get("password") != PASSWORD:
            raise XrpcRefused(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session()

    def renewed(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """A session in place of the one whose refresh token is shown."""
        if not self._renews.pop(self._token(headers), False):
            raise XrpcRefused(400, "ExpiredToken", "Token has been revoked")
        return self._session()

    def admit(self, headers: Mapping[str, str]) -> None:
        """Let in whoever shows an access token that holds."""
        token = self._token(headers)
        if token not in self.used:
            raise XrpcRefused(400, "InvalidToken", "Token could not be verified")
        if self.taken_down:
            raise XrpcRefused(401, "AccountTakedown", "Account has been taken down")
        self.used[token] += 1
        if self.life is not None and self.used[token] > self.life:
            raise XrpcRefused(400, "ExpiredToken", "Token has expired")

    def counted(self) -> dict[str, str]:
        """The headers of the limit; raises when it is used up."""
        self._within(self._asked, self.requests)
        return self._told(len(self._asked), self.requests)

    def needed(self, request: Request, name: str) -> str:
        """A parameter that must be there."""
        if not (value := request.query_params.get(name)):
            raise XrpcRefused(400, "InvalidRequest", f'Error: Params must have the property "{name}"')
        return value

    def limit(self, request: Request) -> int:
        """Rows of a page: 1 to 100, 50 unless told."""
        text = request.query_params.get("limit", "50")
        if not text.isdigit() or not 1 <= int(text) <= 100:
            raise XrpcRefused(400, "InvalidRequest", "Error: limit can not be greater than 100")
        return int(text)

    def _session(self) -> dict[str, Any]:
        if self.taken_down:
            raise XrpcRefused(401, "AccountTakedown", "Account has been taken down")
        number = next(self._numbers)
        access, renews = f"access-token-{number}", f"refresh-token-{number}"
        self.used[access], self._renews[renews] = 0, True
        tokens = {"accessJwt": access, "refreshJwt": renews}
        return {"did": self.did, "handle": HANDLE, "email": EMAIL, "active": True, **tokens}

    def _token(self, headers: Mapping[str, str]) -> str:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            raise XrpcRefused(401, "AuthMissing", "Authentication Required")
        return token

    def _within(self, times: list[float], most: int) -> None:
        now = time.time()
        times[:] = [each for each in times if each > now - WINDOW]
        if len(times) >= most:
            raise XrpcRefused(429, "RateLimitExceeded", "Rate Limit Exceeded", self._told(most, most))
        times.append(now)

    def _told(self, used: int, most: int) -> dict[str, str]:
        left, reset = str(max(0, most - used)), str(int(time.time()) + WINDOW)
        policy = {"ratelimit-policy": f"{most};w={WINDOW}"}
        return {"ratelimit-limit": str(most), "ratelimit-remaining": left, "ratelimit-reset": reset, **policy}
