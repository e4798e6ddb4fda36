"""HubSpot's CRM interface, version 3: the account and its door.

The contract, with its sources, is in ``docs/contracts/hubspot.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snello.sandbox.emulators import hubspot_rules as rules
from snello.sandbox.emulators.hubspot_contacts import Contacts
from snello.sandbox.emulators.hubspot_lists import Lists
from snello.sandbox.emulators.hubspot_store import HubSpotStore
from snello.sandbox.emulators.watch import CALM, Watch, Weather

ACCESS_TOKEN = "pat-eu1-aurora"
LISTS = ("long_absent",)
LOCKED = {"status": "error", "message": "The record is locked", "category": "RATE_LIMITS"}


def hubspot(
    database: Path | str = ":memory:",
    *,
    lists: Sequence[str] = LISTS,
    scopes: Collection[str] = rules.SCOPES,
    limits: rules.Limits | None = None,
    multi_status: bool = True,
    locked: int = 0,
    weather: Weather = CALM,
    home: str = "",
) -> ASGIApp:
    """A HubSpot account kept in ``database``, with one private app.

    - ``scopes``: what the app may do; ``limits``: how often, by default as HubSpot publishes
    - ``multi_status``: whether a batch whose rows bear trace ids is judged row by row; otherwise one bad row spoils it
    - ``locked``: so many batches of contacts are first answered 423
    """
    store = HubSpotStore(database, lists)
    routes = [*Lists(store).routes(), *Contacts(store, multi_status).routes()]
    app = Starlette(routes=routes, exception_handlers={rules.Refused: rules.refusal, HTTPException: _no_route})
    gate = Gate(app, scopes, limits or rules.Limits(), locked)
    return Watch(gate, "hubspot", store.counts, weather, home)


async def _no_route(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    return JSONResponse({"status": "error", "message": "resource not found", "correlationId": "c033cdaa"}, status)


class Gate:
    """Rate limit, token and scope, before any route."""

    def __init__(self, app: ASGIApp, scopes: Collection[str], limits: rules.Limits, locked: int) -> None:
        self.app, self.scopes, self.limits, self.locked = app, scopes, limits, locked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        if scope["type"] != "http" or scope["path"].startswith("/_inspect"):
            await self.app(scope, receive, send)
            return
        over, headers = self.limits.take()
        refusal = over or self._stopped(Request(scope))

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in headers.items())]
            await send(message)

        await (refusal or self.app)(scope, receive, stamped)

    def _stopped(self, request: Request) -> Response | None:
        """The answer to a call without a good token, or beyond what it may do."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token != ACCESS_TOKEN:
            told = "Authentication credentials not found." if not token else "The access token is expired or invalid."
            return JSONResponse(rules.Refused(401, "INVALID_AUTHENTICATION", told).body(), 401)
        wanted = rules.scope_of(request.method, request.url.path)
        if wanted not in self.scopes:
            detail = {"message": "One or more of the following scopes are required."}
            lacking = [detail | {"context": {"requiredGranularScopes": [wanted]}}]
            body = rules.Refused(403, "MISSING_SCOPES", rules.NO_SCOPE).body(errors=lacking)
            return JSONResponse(body, 403)
        if self.locked > 0 and request.url.path.endswith(("/batch/upsert", "/batch/update")):
            self.locked -= 1
            return JSONResponse(LOCKED, 423)
        return None
