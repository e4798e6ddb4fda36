"""A Bluesky server with the network's views behind it: sessions, records of a repository, followers, notifications.

The contract, with its sources, is in ``docs/contracts/bluesky.md``.
"""

from __future__ import annotations

from heapq import nlargest

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from snello.sandbox.emulators import bluesky_views as views
from snello.sandbox.emulators.bluesky_rules import PASSWORD, Rules, XrpcRefused
from snello.sandbox.emulators.bluesky_store import HANDLE, POST, BlueskyStore, Row, generated
from snello.sandbox.emulators.bluesky_views import View
from snello.sandbox.emulators.watch import CALM, Watch, Weather

__all__ = ["PASSWORD", "bluesky"]


def bluesky(
    store: BlueskyStore | None = None,
    *,
    weather: Weather = CALM,
    rules: Rules | None = None,
    views_up: bool = True,
    home: str = "",
) -> ASGIApp:
    """The account's server; ``rules`` hold its sessions and limits; without ``views_up`` it stands alone."""
    held = store or generated()
    door = Door(held, rules or Rules(held.did))
    names = {
        "com.atproto.server.createSession": (door.session, "POST"),
        "com.atproto.server.refreshSession": (door.renewal, "POST"),
        "com.atproto.repo.listRecords": (door.records, "GET"),
    }
    if views_up:
        names |= {
            "app.bsky.graph.getFollowers": (door.followers, "GET"),
            "app.bsky.feed.getAuthorFeed": (door.feed, "GET"),
            "app.bsky.feed.getLikes": (door.likes, "GET"),
            "app.bsky.feed.getRepostedBy": (door.reposts, "GET"),
            "app.bsky.feed.getQuotes": (door.quotes, "GET"),
            "app.bsky.notification.listNotifications": (door.notifications, "GET"),
        }
    routes = [Route(f"/xrpc/{name}", does, methods=[method]) for name, (does, method) in names.items()]
    routes.append(Route("/xrpc/{name}", _no_method))
    app = Starlette(routes=routes, exception_handlers={XrpcRefused: _refused})
    return Watch(app, "bluesky", lambda: {"rows": held.counts()}, weather, home)


class Door:
    """The methods, each behind the limit; those of the network's views behind a session as well."""

    def __init__(self, store: BlueskyStore, rules: Rules) -> None:
        self.store, self.rules = store, rules

    async def session(self, request: Request) -> Response:
        """Begin a session with a handle and an app password."""
        return self._said(self.rules.begun(await request.json()))

    async def renewal(self, request: Request) -> Response:
        """Go on with a session by its refresh token, which holds once."""
        return self._said(self.rules.renewed(request.headers))

    async def records(self, request: Request) -> Response:
        """The records of one collection, newest key first; anybody may read them."""
        wanted = request.query_params.get("repo", "").lower()
        if wanted not in (self.store.did, HANDLE):
            raise XrpcRefused(400, "InvalidRequest", "Could not find repo")
        held = self.store.records.get(self.rules.needed(request, "collection"), {})
        newest = request.query_params.get("reverse") != "true"
        keys, limit = sorted(held, reverse=newest), self.rules.limit(request)
        after = request.query_params.get("cursor")
        left = [key for key in keys if after is None or (key < after if newest else key > after)][:limit]
        return self._said({"records": [held[key] for key in left], **({"cursor": left[-1]} if left else {})})

    async def followers(self, request: Request) -> Response:
        """Who follows the account, the latest first."""
        self._about_us(request)
        subject = {"subject": views.profile(self.store, self.store.did)}
        return self._page(request, "followers", self.store.followers, views.actor, subject)

    async def feed(self, request: Request) -> Response:
        """What the account posted and passed on."""
        self._about_us(request)
        rows, start, limit = views.feed(self.store), self._place(request), self.rules.limit(request)
        more = {"cursor": str(start + limit)} if start + limit < len(rows) else {}
        return self._said({"feed": rows[start : start + limit], **more})

    async def likes(self, request: Request) -> Response:
        """Who likes a post."""
        return self._of_post(request, "likes", self.store.likes, views.like)

    async def reposts(self, request: Request) -> Response:
        """Who passed a post on."""
        return self._of_post(request, "repostedBy", self.store.reposts, views.actor)

    async def quotes(self, request: Request) -> Response:
        """What quotes a post."""
        return self._of_post(request, "posts", self.store.quotes, views.quote)

    async def notifications(self, request: Request) -> Response:
        """What the account is told of, the latest first."""
        self.rules.admit(request.headers)
        told = {"priority": False, "seenAt": "1970-01-01T00:00:00.000Z"}
        return self._page(request, "notifications", self.store.notifications, views.notification, told)

    def _of_post(self, request: Request, name: str, rows: dict[str, list[Row]], view: View) -> Response:
        self.rules.admit(request.headers)
        uri = self.rules.needed(request, "uri")
        if not uri.startswith("at://"):
            raise XrpcRefused(400, "InvalidRequest", "Error: uri must be a valid at-uri")
        return self._page(request, name, rows.get(uri, []) if f"/{POST}/" in uri else [], view, {"uri": uri})

    def _about_us(self, request: Request) -> None:
        self.rules.admit(request.headers)
        if self.rules.needed(request, "actor").lower() not in (self.store.did, HANDLE):
            raise XrpcRefused(400, "InvalidRequest", "Actor not found")

    def _page(self, request: Request, name: str, rows: list[Row], view: View, more: Row) -> Response:
        """A page from the latest on: cut to its size first, rid of suspended accounts after."""
        limit, after = self.rules.limit(request), request.query_params.get("cursor")
        left = nlargest(limit + 1, (row for row in rows if after is None or _order(row) < after), key=_order)
        shown = [view(self.store, row) for row in self.store.visible(left[:limit])]
        cursor = {"cursor": _order(left[limit - 1])} if len(left) > limit else {}
        return self._said({**more, name: shown, **cursor})

    def _place(self, request: Request) -> int:
        text = request.query_params.get("cursor", "0")
        if not text.isdigit():
            raise XrpcRefused(400, "InvalidRequest", "Malformed cursor")
        return int(text)

    def _said(self, document: Row) -> Response:
        return JSONResponse(document, headers=self.rules.counted())


def _order(row: Row) -> str:
    return f"{row['indexedAt']}::{row['uri'].rpartition('/')[2]}"


async def _no_method(request: Request) -> Response:
    if request.path_params["name"].startswith("app.bsky."):
        raise XrpcRefused(400, "InvalidRequest", "No service configured")
    return JSONResponse({"error": "MethodNotImplemented", "message": "Method Not Implemented"}, 501)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, XrpcRefused)
    return JSONResponse({"error": error.code, "message": error.words}, error.status, error.headers)
