"""Brevo's lists, attributes and imports."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators import brevo_rules as rules
from snello.sandbox.emulators.brevo_store import BrevoStore


class Lists:
    """The routes of lists, attributes and imports."""

    def __init__(self, store: BrevoStore) -> None:
        self.store = store

    def routes(self) -> list[Route]:
        """Their paths."""
        lists = "/v3/contacts/lists"
        return [
            Route("/v3/contacts/import", self.import_contacts, methods=["POST"]),
            Route("/v3/contacts/attributes", self.attributes, methods=["GET"]),
            Route("/v3/contacts/attributes/normal/{name}", self.create_attribute, methods=["POST"]),
            Route(lists, self.lists, methods=["GET"]),
            Route(lists, self.create_list, methods=["POST"]),
            Route(lists + "/{list:int}", self.one_list, methods=["GET"]),
            Route(lists + "/{list:int}", self.delete_list, methods=["DELETE"]),
            Route(lists + "/{list:int}/contacts", self.list_contacts, methods=["GET"]),
            Route(lists + "/{list:int}/contacts/{action}", self.change_list, methods=["POST"]),
            Route("/v3/processes/{process:int}", self.process, methods=["GET"]),
        ]

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

    async def delete_list(self, request: Request) -> Response:
        """A list less; its contacts stay."""
        number = self._list(request.path_params["list"])["id"]
        with self.store.transaction():
            self.store.db.execute("DELETE FROM members WHERE list_id = ?", (number,))
            self.store.db.execute("DELETE FROM lists WHERE id = ?", (number,))
        return Response(status_code=204)

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
