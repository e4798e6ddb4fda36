"""Brevo's interface, version 3: contacts, lists, attributes, imports.

The contract, with its sources, is in ``docs/contracts/brevo.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snello.sandbox.emulators import brevo_rules as rules
from snello.sandbox.emulators.brevo_blocks import Blocks
from snello.sandbox.emulators.brevo_lists import Lists
from snello.sandbox.emulators.brevo_store import BrevoStore, Contact
from snello.sandbox.emulators.watch import CALM, Watch, Weather

API_KEY = "xkeysib-aurora"
LISTS = ("long_absent",)


def brevo(
    database: Path | str = ":memory:",
    *,
    lists: Sequence[str] = LISTS,
    limits: rules.Limits | None = None,
    import_seconds: float = 0.0,
    weather: Weather = CALM,
    home: str = "",
) -> ASGIApp:
    """A Brevo account kept in ``database``.

    - ``limits``: how often it may be called, by default as Brevo publishes for its general tier
    - ``import_seconds``: how long an import takes
    """
    store = BrevoStore(database, lists, import_seconds)
    # The fixed paths stand before /contacts/{identifier}.
    routes = [*Lists(store).routes(), *Blocks(store).routes(), *Contacts(store).routes()]
    app = Starlette(routes=routes, exception_handlers={rules.Refused: rules.refusal, HTTPException: _no_route})
    return Watch(Gate(app, store, limits or rules.Limits()), "brevo", store.counts, weather, home, _calm)


def _calm(seconds: int) -> dict[str, str]:
    return {"x-sib-ratelimit-limit": "10", "x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": str(seconds)}


async def _no_route(request: Request, error: Exception) -> Response:
    if getattr(error, "status_code", 404) == 405:
        message = f"{request.method} Method is not allowed on this path"
        return JSONResponse({"code": "method_not_allowed", "message": message}, 405)
    return JSONResponse({"code": "document_not_found", "message": "Route not found"}, 404)


class Gate:
    """Key and rate limit, before any route; imports that are due are run first."""

    def __init__(self, app: ASGIApp, store: BrevoStore, limits: rules.Limits) -> None:
        self.app, self.store, self.limits = app, store, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        if scope["type"] != "http" or scope["path"].startswith("/_inspect"):
            await self.app(scope, receive, send)
            return
        allowed, headers = self.limits.take(scope["path"])
        refusal = _stopped(Request(scope).headers.get("api-key"), allowed)
        self.store.settle()

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in headers.items())]
            await send(message)

        await (refusal or self.app)(scope, receive, stamped)


def _stopped(key: str | None, allowed: bool) -> Response | None:
    """The answer to a call that comes too soon, or without the account's key."""
    if not allowed:
        return JSONResponse({"code": "too_many_requests", "message": "Rate limit exceeded"}, 429)
    if key == API_KEY:
        return None
    message = "Key not found" if key else "authentication not found in headers"
    return JSONResponse({"code": "unauthorized", "message": message}, 401)


class Contacts:
    """The routes of contacts."""

    def __init__(self, store: BrevoStore) -> None:
        self.store = store

    def routes(self) -> list[Route]:
        """The paths of contacts."""
        one = "/v3/contacts/{identifier}"
        return [
            Route("/v3/account", self.account, methods=["GET"]),
            Route("/v3/contacts", self.contacts, methods=["GET"]),
            Route("/v3/contacts", self.create, methods=["POST"]),
            Route(one, self.read, methods=["GET"]),
            Route(one, self.update, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route("/_inspect/contacts", self.everything, methods=["GET"]),
        ]

    async def account(self, request: Request) -> Response:
        """Whose account it is."""
        return JSONResponse({"email": "marketing@aurora.example", "companyName": "Aurora", "plan": [{"type": "free"}]})

    async def create(self, request: Request) -> Response:
        """A new contact; with ``updateEnabled`` also an existing one."""
        given = await rules.body_of(request)
        attributes = given.get("attributes") or {}
        if not (given.get("email") or given.get("ext_id") or attributes.get("SMS")):
            raise rules.missing("An email or SMS phone number is mandatory to create a new contact")
        lists = self.store.existing_lists(given.get("listIds") or [])
        contact = self._known(given) if given.get("updateEnabled") else None
        with self.store.transaction():
            number = self.store.write(contact, given)
            for list_id in lists:
                self.store.join(list_id, number)
        return Response(status_code=204) if contact else JSONResponse({"id": number}, 201)

    def _known(self, given: dict[str, Any]) -> Contact | None:
        for column in ("email", "ext_id"):
            if given.get(column) and (contact := self.store.find(column, given[column])):
                return contact
        return None

    async def read(self, request: Request) -> Response:
        """One contact."""
        return JSONResponse(self.store.document(self._identified(request)) | {"statistics": {}})

    async def update(self, request: Request) -> Response:
        """Change the fields that are given."""
        contact, given = self._identified(request), await rules.body_of(request)
        joins = self.store.existing_lists(given.get("listIds") or [])
        leaves = self.store.existing_lists(given.get("unlinkListIds") or [])
        given.pop("email", None)
        with self.store.transaction():
            self.store.write(contact, given, erase=True)
            for list_id in joins:
                self.store.join(list_id, contact["id"])
            for list_id in leaves:
                self.store.leave(list_id, contact["id"])
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Forget one contact."""
        self.store.delete(self._identified(request)["id"])
        return Response(status_code=204)

    def _identified(self, request: Request) -> Contact:
        """The contact that the path names; by external id only when ``identifierType`` says so."""
        identifier = request.path_params["identifier"]
        kind = request.query_params.get("identifierType")
        if kind is not None and kind not in rules.IDENTIFIERS:
            raise rules.invalid("Invalid identifier type")
        column = rules.IDENTIFIERS[kind] if kind else "email" if "@" in identifier else "id"
        if column == "id" and not identifier.isdigit():
            raise rules.invalid("Invalid contact identifier")
        contact = self.store.find(column, rules.normal_sms(identifier) if column == "sms" else identifier)
        if contact is None:
            raise rules.unknown("Contact does not exist")
        return contact

    async def contacts(self, request: Request) -> Response:
        """All contacts, newest first."""
        since = request.query_params.get("modifiedSince", "")
        count, page = self.store.page("modified_at >= ?", [since], rules.window(request, "contacts"))
        return JSONResponse({"contacts": page, "count": count})

    async def everything(self, request: Request) -> Response:
        """All contacts at once, for tests."""
        self.store.settle()
        return JSONResponse(self.store.page("1 = 1", [], (-1, 0))[1])
