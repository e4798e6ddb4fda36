"""Brevo's interface, version 3: contacts, lists, attributes, imports.

The contract, with its sources, is in ``docs/contracts/brevo.md``.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snello.sandbox.emulators import brevo_rules as rules
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
    account = Account(store)
    app = Starlette(
        routes=account.routes(), exception_handlers={rules.Refused: rules.refusal, HTTPException: _no_route}
    )
    return Watch(Gate(app, store, limits or rules.Limits()), "brevo", store.counts, weather, home, _calm)


def _calm(seconds: int) -> dict[str, str]:
    return {"x-sib-ratelimit-limit": "10", "x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": str(seconds)}


async def _no_route(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    code, message = ("method_not_allowed", "POST Method is not allowed on this path") if status == 405 else (
        "document_not_found", "Route not found")  # fmt: skip
    return JSONResponse({"code": code, "message": message}, status)


class Gate:
    """Key and rate limit, before any route; imports that are due are run first."""

    def __init__(self, app: ASGIApp, store: BrevoStore, limits: rules.Limits) -> None:
        self.app, self.store, self.limits = app, store, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_inspect"):
            await self.app(scope, receive, send)
            return
        allowed, headers = self.limits.take(scope["path"])
        response = (
            None if allowed else JSONResponse({"code": "too_many_requests", "message": "Rate limit exceeded"}, 429)
        )
        key = Request(scope).headers.get("api-key")
        if response is None and key != API_KEY:
            message = "Key not found" if key else "authentication not found in headers"
            response = JSONResponse({"code": "unauthorized", "message": message}, 401)
        self.store.settle()

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in headers.items())]
            await send(message)

        await (response or self.app)(scope, receive, stamped)


class Account:
    """The routes of one account."""

    def __init__(self, store: BrevoStore) -> None:
        self.store = store

    def routes(self) -> list[Route]:
        """Every path; the fixed ones stand before ``/contacts/{identifier}``."""
        table: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", "/v3/account", self.account),
            ("POST", "/v3/contacts/import", self.import_contacts),
            ("GET", "/v3/contacts/attributes", self.attributes),
            ("POST", "/v3/contacts/attributes/normal/{name}", self.create_attribute),
            ("GET", "/v3/contacts/lists", self.lists),
            ("POST", "/v3/contacts/lists", self.create_list),
            ("GET", "/v3/contacts/lists/{list:int}", self.one_list),
            ("GET", "/v3/contacts/lists/{list:int}/contacts", self.list_contacts),
            ("POST", "/v3/contacts/lists/{list:int}/contacts/{action}", self.change_list),
            ("GET", "/v3/contacts", self.contacts),
            ("POST", "/v3/contacts", self.create),
            ("GET", "/v3/contacts/{identifier}", self.read),
            ("PUT", "/v3/contacts/{identifier}", self.update),
            ("DELETE", "/v3/contacts/{identifier}", self.delete),
            ("GET", "/v3/processes/{process:int}", self.process),
            ("GET", "/_inspect/contacts", self.everything),
        ]
        return [Route(path, handler, methods=[method]) for method, path, handler in table]

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

    async def lists(self, request: Request) -> Response:
        """All lists."""
        limit, offset = rules.window(request, "lists")
        rows = self.store.db.execute(
            "SELECT id FROM lists ORDER BY id DESC LIMIT ? OFFSET ?", (limit, offset)
        ).fetchall()
        count = self.store.db.execute("SELECT count(*) FROM lists").fetchone()[0]
        return JSONResponse({"lists": [self._list(row["id"]) for row in rows], "count": count})

    def _list(self, number: int) -> dict[str, Any]:
        row = self.store.db.execute("SELECT * FROM lists WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise rules.unknown("List ID does not exist")
        size = self.store.db.execute("SELECT count(*) FROM members WHERE list_id = ?", (number,)).fetchone()[0]
        about = {"id": row["id"], "name": row["name"], "folderId": row["folder_id"]}
        return about | {"uniqueSubscribers": size, "totalSubscribers": 0, "totalBlacklisted": 0}

    async def one_list(self, request: Request) -> Response:
        """One list."""
        return JSONResponse(self._list(request.path_params["list"]))

    async def create_list(self, request: Request) -> Response:
        """A new list in a folder."""
        given = await rules.body_of(request)
        if not given.get("name") or not given.get("folderId"):
            raise rules.missing("name and folderId are mandatory")
        values = (given["name"], given["folderId"])
        done = self.store.db.execute("INSERT INTO lists (name, folder_id) VALUES (?, ?)", values)
        return JSONResponse({"id": done.lastrowid}, 201)

    async def list_contacts(self, request: Request) -> Response:
        """The contacts of a list, newest first."""
        number = self._list(request.path_params["list"])["id"]
        where = "EXISTS (SELECT 1 FROM members WHERE list_id = ? AND contact_id = c.id)"
        count, page = self.store.page(where, [number], rules.window(request, "list_contacts"))
        return JSONResponse({"contacts": page, "count": count})

    async def change_list(self, request: Request) -> Response:
        """Put up to 150 contacts on a list or take them off; those that changed nothing are failures."""
        action = request.path_params["action"]
        if action not in ("add", "remove"):
            raise rules.unknown("Route not found")
        number = self._list(request.path_params["list"])["id"]
        column, given = _named(await rules.body_of(request))
        change = self.store.join if action == "add" else self.store.leave
        verdicts: dict[str, list[Any]] = {"success": [], "failure": []}
        with self.store.transaction():
            for value in given:
                contact = self.store.find(column, value)
                verdicts["success" if contact and change(number, contact["id"]) else "failure"].append(value)
        if not verdicts["success"]:
            done = "already in" if action == "add" else "already removed from"
            raise rules.invalid(f"Contact {done} list and/or does not exist")
        return JSONResponse({"contacts": verdicts}, 201)

    async def attributes(self, request: Request) -> Response:
        """The attributes that contacts may have."""
        rows = self.store.db.execute("SELECT name, type FROM attributes").fetchall()
        return JSONResponse(
            {"attributes": [{"name": r["name"], "category": "normal", "type": r["type"]} for r in rows]}
        )

    async def create_attribute(self, request: Request) -> Response:
        """One attribute more."""
        name, given = request.path_params["name"].upper(), await rules.body_of(request)
        kind = given.get("type", "text")
        if kind not in ("text", "date", "float", "boolean", "id"):
            raise rules.invalid("Attribute type is not valid")
        if not self.store.db.execute("INSERT OR IGNORE INTO attributes VALUES (?, ?)", (name, kind)).rowcount:
            raise rules.Refused(400, "duplicate_parameter", "Attribute name must be unique")
        return Response(status_code=201)

    async def import_contacts(self, request: Request) -> Response:
        """Queue up to 10 MB of contacts; the answer names the process to ask about."""
        given = await rules.body_of(request, rules.MOST_IMPORT_BYTES)
        rows = given.get("jsonBody") or _from_csv(given.get("fileBody") or "")
        if not rows:
            raise rules.missing("Either fileUrl, fileBody or jsonBody is required")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise rules.invalid("jsonBody should be an array of objects")
        if not given.get("listIds"):
            raise rules.missing("Either listIds or newList is required")
        wanted = {
            "rows": rows,
            "lists": self.store.existing_lists(given["listIds"]),
            "update": given.get("updateExistingContacts", True),
            "erase": given.get("emptyContactsAttributes", False),
            "emailBlacklisted": given.get("emailBlacklist", False),
            "smsBlacklisted": given.get("smsBlacklist", False),
        }
        return JSONResponse({"processId": self.store.start_import(wanted)}, 202)

    async def process(self, request: Request) -> Response:
        """How an import is doing."""
        return JSONResponse(self.store.process(request.path_params["process"]))

    async def everything(self, request: Request) -> Response:
        """All contacts at once, for tests."""
        self.store.settle()
        return JSONResponse(self.store.page("1 = 1", [], (-1, 0))[1])


def _named(given: dict[str, Any]) -> tuple[str, list[Any]]:
    """By what the contacts of a call are named, and their names."""
    for field, column in (("emails", "email"), ("ids", "id"), ("extIds", "ext_id")):
        if given.get(field):
            if len(given[field]) > rules.MOST_PER_LIST_CALL:
                raise rules.invalid(f"Maximum {rules.MOST_PER_LIST_CALL} contacts are allowed in one request")
            return column, list(given[field])
    raise rules.missing("Either emails, ids or extIds is required")


def _from_csv(text: str) -> list[dict[str, Any]]:
    """Rows of a CSV with semicolons, whose first line names the attributes."""
    rows = csv.DictReader(StringIO(text), delimiter=";")
    return [{"attributes": {name: value for name, value in row.items() if name}} for row in rows]
