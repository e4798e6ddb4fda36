"""HubSpot's CRM interface, version 3: contacts, one by one and in batches.

The contract, with its sources, is in ``docs/contracts/hubspot.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snello.sandbox.emulators import hubspot_rules as rules
from snello.sandbox.emulators.hubspot_lists import Lists
from snello.sandbox.emulators.hubspot_store import HubSpotStore, Record, now
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


class Contacts:
    """The routes of contacts, and of companies as far as somebody must find them."""

    def __init__(self, store: HubSpotStore, multi_status: bool) -> None:
        self.store, self.multi_status = store, multi_status

    def routes(self) -> list[Route]:
        """Their paths."""
        root, batch = "/crm/v3/objects/contacts", "/crm/v3/objects/{type:str}/batch"
        return [
            Route(root + "/batch/upsert", self.upsert, methods=["POST"]),
            Route(root + "/batch/update", self.update, methods=["POST"]),
            Route(root + "/batch/archive", self.archive, methods=["POST"]),
            Route(batch + "/read", self.read, methods=["POST"]),
            Route(root + "/gdpr-delete", self.forget, methods=["POST"]),
            Route(root + "/search", self.search, methods=["POST"]),
            Route(root, self.page, methods=["GET"]),
            Route("/crm/v3/objects/{type:str}", self.create, methods=["POST"]),
            Route("/_inspect/contacts", self.everything, methods=["GET"]),
        ]

    async def upsert(self, request: Request) -> Response:
        """Create or change up to 100 contacts, each named by a value of a unique property."""
        inputs = rules.inputs_of(await rules.body_of(request))
        rules.distinct([str(one.get("id")) for one in inputs])

        def written(one: dict[str, Any]) -> dict[str, Any]:
            if not one.get("idProperty") or not isinstance(one.get("properties"), dict):
                raise rules.invalid("Some required fields were not set: [idProperty, properties]")
            name, value = one["idProperty"], str(one["id"])
            record = self.store.find("contacts", value, name)
            number = self.store.write("contacts", record, {name: value, **one["properties"]})
            return self._document(number, one) | {"new": record is None}

        return self._batch(inputs, written, [])

    async def update(self, request: Request) -> Response:
        """Change up to 100 contacts; those that do not exist are told of."""
        inputs = rules.inputs_of(await rules.body_of(request))
        rules.distinct([str(one.get("id")) for one in inputs])
        gone = [one for one in inputs if self._named(one) is None]

        def written(one: dict[str, Any]) -> dict[str, Any]:
            return self._document(self.store.write("contacts", self._named(one), one.get("properties") or {}), one)

        return self._batch([one for one in inputs if one not in gone], written, [str(one["id"]) for one in gone])

    def _named(self, one: dict[str, Any]) -> Record | None:
        return self.store.find("contacts", str(one.get("id")), one.get("idProperty"))

    def _batch(
        self, inputs: list[dict[str, Any]], write: Callable[[dict[str, Any]], dict[str, Any]], gone: list[str]
    ) -> Response:
        """Row by row where each bears a trace id, otherwise all or nothing."""
        results, errors = [], [rules.missing(gone)] if gone else []
        each = self.multi_status and all(one.get("objectWriteTraceId") for one in inputs)
        with self.store.all_or_nothing():
            for one in inputs:
                try:
                    with self.store.all_or_nothing():
                        results.append(write(one))
                except rules.Refused as fault:
                    self.store.refused += 1
                    if not each or fault.status not in (400, 409):
                        raise
                    errors.append(fault.row(one["objectWriteTraceId"]))
        return _answer(results, errors)

    def _document(self, number: int, one: dict[str, Any]) -> dict[str, Any]:
        record = self.store.find("contacts", str(number))
        assert record
        trace = {"objectWriteTraceId": one["objectWriteTraceId"]} if one.get("objectWriteTraceId") else {}
        return self.store.document(record, list(one.get("properties") or {})) | trace

    async def read(self, request: Request) -> Response:
        """Up to 100 records by id, or by a unique property."""
        given, kind = await rules.body_of(request), request.path_params["type"]
        ids = [str(one.get("id")) for one in rules.inputs_of(given)]
        found = {one: self.store.find(kind, one, given.get("idProperty")) for one in ids}
        gone = [one for one, record in found.items() if record is None]
        names = [*(given.get("properties") or []), *filter(None, [given.get("idProperty")])]
        results = [self.store.document(record, names) for record in found.values() if record]
        return _answer(results, [rules.missing(gone)] if gone else [])

    async def archive(self, request: Request) -> Response:
        """Take up to 100 contacts away; those that are gone do not matter."""
        with self.store.all_or_nothing():
            for one in rules.inputs_of(await rules.body_of(request)):
                if record := self.store.find("contacts", str(one.get("id"))):
                    self.store.archive(record)
        return Response(status_code=204)

    async def forget(self, request: Request) -> Response:
        """Delete one contact for good; an address that nobody has is blocked."""
        given = await rules.body_of(request)
        record = self.store.find("contacts", str(given.get("objectId")), given.get("idProperty"))
        if record is not None:
            self.store.archive(record, forget=True)
        elif given.get("idProperty") == "email":
            self.store.db.execute("INSERT OR IGNORE INTO blocked VALUES (?)", (str(given["objectId"]).lower(),))
        else:
            raise rules.unknown("resource not found")
        return Response(status_code=204)

    async def search(self, request: Request) -> Response:
        """Contacts whose properties equal values."""
        given = await rules.body_of(request)
        filters = [one for group in given.get("filterGroups") or [] for one in group.get("filters") or []]
        if any(one.get("operator") != "EQ" for one in filters):
            raise rules.invalid("operator is not supported")
        every = self.store.everybody("contacts")
        found = [r for r in every if all(r["properties"].get(f["propertyName"]) == f["value"] for f in filters)]
        page = found[: int(given.get("limit") or 10)]
        shown = [self.store.document(one, given.get("properties") or []) for one in page]
        return JSONResponse({"total": len(found), "results": shown})

    async def page(self, request: Request) -> Response:
        """All contacts, a page at a time."""
        limit = int(request.query_params.get("limit", "10"))
        if limit > rules.MOST_INPUTS:
            raise rules.invalid("limit exceeds 100")
        found = self.store.everybody("contacts", int(request.query_params.get("after", "0")), limit)
        names = request.query_params.get("properties", "").split(",")
        more = {"paging": {"next": {"after": str(found[-1]["id"])}}} if len(found) == limit else {}
        return JSONResponse({"results": [self.store.document(one, names) for one in found], **more})

    async def create(self, request: Request) -> Response:
        """One record."""
        given, kind = await rules.body_of(request), request.path_params["type"]
        with self.store.all_or_nothing():
            number = self.store.write(kind, None, given.get("properties") or {})
        record = self.store.find(kind, str(number))
        assert record
        return JSONResponse(self.store.document(record, list(given.get("properties") or {})), 201)

    async def everything(self, request: Request) -> Response:
        """All contacts at once with their lists and companies, for tests."""
        shown = []
        for record in self.store.everybody("contacts"):
            query = "SELECT name FROM lists JOIN members ON list = id WHERE record = ? ORDER BY id"
            lists = [row[0] for row in self.store.db.execute(query, (record["id"],))]
            query = "SELECT company FROM associations WHERE contact = ? ORDER BY 1"
            companies = [str(row[0]) for row in self.store.db.execute(query, (record["id"],))]
            about = {"id": str(record["id"]), "properties": record["properties"]}
            shown.append(about | {"lists": lists, "companies": companies})
        return JSONResponse(shown)


def _answer(results: list[dict[str, Any]], errors: list[dict[str, Any]]) -> Response:
    stamps = {"startedAt": now(), "completedAt": now()}
    told = {"numErrors": len(errors), "errors": errors} if errors else {}
    return JSONResponse({"status": "COMPLETE", "results": results, **told, **stamps}, 207 if errors else 200)
