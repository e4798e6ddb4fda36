"""A Mastodon server's REST interface over one account: statuses, who likes and boosts them, followers, notifications.

The contract, with its sources, is in ``docs/contracts/mastodon.md``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from heapq import nlargest
from operator import itemgetter
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from snello.sandbox.emulators.mastodon_store import ME, MastodonStore, Row, generated
from snello.sandbox.emulators.watch import CALM, Watch, Weather

TOKEN = "token-of-aurora"
SCOPES = frozenset({"read:accounts", "read:statuses", "read:notifications", "read:follows"})
WINDOW = 300  # seconds
INVALID = ("The access token is invalid", "invalid_token")


class MastodonRefused(Exception):
    """An answer in the interface's envelope."""

    def __init__(self, status: int, words: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.headers = status, words, headers or {}


def mastodon(
    store: MastodonStore | None = None,
    *,
    weather: Weather = CALM,
    scopes: frozenset[str] = SCOPES,
    requests: int = 300,
    state: str = "active",
) -> ASGIApp:
    """The account's server.

    - ``scopes``: of the token; ``requests``: how many in five minutes
    - ``state``: ``active``, ``disabled`` (the login is switched off) or ``suspended`` (the account is gone)
    """
    door = Door(store or generated(), scopes, requests, state)
    routes = [
        Route("/api/v1/accounts/verify_credentials", door.me),
        Route("/api/v1/accounts/{id}/statuses", door.statuses),
        Route("/api/v1/accounts/{id}/{kind:str}", door.linked),
        Route("/api/v1/statuses/{id}", door.status),
        Route("/api/v1/statuses/{id}/{kind:str}", door.linked),
        Route("/api/v1/notifications", door.notifications),
    ]
    app = Starlette(routes=routes, exception_handlers={MastodonRefused: _refused})
    calm = "X-RateLimit-Reset"
    return Watch(app, "mastodon", lambda: {"rows": door.store.counts()}, weather, calm=lambda after: {calm: _at(after)})


class Door:
    """The listings, behind the token, its scopes and the limit."""

    def __init__(self, store: MastodonStore, scopes: frozenset[str], requests: int, state: str) -> None:
        self.store, self.scopes, self.requests, self.state = store, scopes, requests, state
        self._asked: list[float] = []

    async def me(self, request: Request) -> Response:
        """The account of the token."""
        self._admit(request, "read:accounts")
        return JSONResponse({"id": ME, "username": "aurora", "acct": "aurora"}, headers=self._told())

    async def statuses(self, request: Request) -> Response:
        """The account's statuses, the newest first."""
        self._admit(request, "read:statuses")
        self._ours(request)
        rows = ((int(key), row) for key, row in self.store.statuses.items())
        return self._page(request, rows, self._shown, (20, 40))

    async def status(self, request: Request) -> Response:
        """One status."""
        self._admit(request, "read:statuses")
        row = self.store.statuses.get(request.path_params["id"])
        if row is None:
            raise MastodonRefused(404, "Record not found")
        return JSONResponse(self._shown(row), headers=self._told())

    async def linked(self, request: Request) -> Response:
        """Accounts that follow, are followed, like a status or boosted it, the latest first."""
        kind, key = request.path_params["kind"], request.path_params["id"]
        if kind in ("followers", "following"):
            self._admit(request, "read:accounts")
            self._ours(request)
        elif kind in ("favourited_by", "reblogged_by"):
            self._admit(request, "read:accounts")
            if key not in self.store.statuses:
                raise MastodonRefused(404, "Record not found")
            kind = f"{kind}:{key}"
        else:
            raise MastodonRefused(404, "Not found")
        return self._page(request, self.store.links.get(kind, []), self.store.accounts.__getitem__, (40, 80))

    async def notifications(self, request: Request) -> Response:
        """What the account is told of, the latest first."""
        self._admit(request, "read:notifications")
        rows = ((int(row["id"]), row) for row in self.store.notifications)
        return self._page(request, rows, self._notice, (40, 80))

    def _shown(self, row: Row) -> Row:
        key = row["id"]
        counts = {"replies_count": 0, "favourites_count": self.store.counted("favourited_by", key)}
        counts["reblogs_count"] = self.store.counted("reblogged_by", key)
        more = {"account": {"id": ME, "acct": "aurora"}, "media_attachments": [], "mentions": [], "tags": []}
        return {"reblog": None, **row, **counts, **more}

    def _notice(self, row: Row) -> Row:
        status = row["status"]
        if isinstance(status, str):
            status = self._shown(self.store.statuses[status]) if status in self.store.statuses else None
        elif status:
            status = {**status, "account": self.store.accounts[status["account"]]}
        shown = {**row, "account": self.store.accounts[row["account"]]}
        shown.pop("status")
        return {**shown, **({"status": status} if status else {})}

    def _page(
        self, request: Request, rows: Iterable[tuple[int, Any]], shape: Callable[[Any], Row], sizes: tuple[int, int]
    ) -> Response:
        """A page by ``max_id``, exclusive; a link to the next one only when it is full. Too large a size is cut."""
        text = request.query_params.get("limit", str(sizes[0]))
        limit = min(int(text), sizes[1]) if text.isdigit() else sizes[0]
        below = request.query_params.get("max_id")
        bound = int(below) if below else None
        left = nlargest(limit, (row for row in rows if bound is None or row[0] < bound), key=itemgetter(0))
        headers = self._told()
        if left:
            links = [
                f'<{request.url.include_query_params(min_id=left[0][0]).remove_query_params("max_id")}>; rel="prev"'
            ]
            if len(left) == limit:
                links.insert(0, f'<{request.url.include_query_params(max_id=left[-1][0])}>; rel="next"')
            headers["Link"] = ", ".join(links)
        return JSONResponse([shape(row) for _, row in left], headers=headers)

    def _ours(self, request: Request) -> None:
        if request.path_params["id"] != ME:
            raise MastodonRefused(404, "Record not found")

    def _admit(self, request: Request, scope: str) -> None:
        words = {"disabled": (403, "Your login is currently disabled"), "suspended": (410, "Gone")}
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            challenge = f'Bearer realm="Doorkeeper", error="{INVALID[1]}", error_description="{INVALID[0]}"'
            raise MastodonRefused(401, INVALID[0], {"WWW-Authenticate": challenge})
        if scope not in self.scopes and "read" not in self.scopes:
            raise MastodonRefused(403, "This action is outside the authorized scopes")
        if self.state in words:
            raise MastodonRefused(*words[self.state])
        now = time.time()
        self._asked[:] = [each for each in self._asked if each > now - WINDOW]
        if len(self._asked) >= self.requests:
            raise MastodonRefused(429, "Too many requests", self._told())
        self._asked.append(now)

    def _told(self) -> dict[str, str]:
        left = str(max(0, self.requests - len(self._asked)))
        headers = {"X-RateLimit-Limit": str(self.requests), "X-RateLimit-Remaining": left}
        return {**headers, "X-RateLimit-Reset": _at(WINDOW)}


def _at(seconds: int) -> str:
    moment = datetime.fromtimestamp(time.time() + seconds, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, MastodonRefused)
    return JSONResponse({"error": error.words}, error.status, error.headers)
