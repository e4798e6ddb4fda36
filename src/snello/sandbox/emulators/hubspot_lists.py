"""HubSpot's lists with their memberships, its properties, and associations with companies."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators import hubspot_rules as rules
from snello.sandbox.emulators.hubspot_store import HubSpotStore, definition, now

PAGE = 250


class Lists:
    """The routes of lists, properties and associations."""

    def __init__(self, store: HubSpotStore) -> None:
        self.store = store

    def routes(self) -> list[Route]:
        """Their paths."""
        one, members = "/crm/v3/lists/{list:int}", "/crm/v3/lists/{list:int}/memberships"
        associate = "/crm/v4/associations/contacts/companies/batch/associate/default"
        return [
            Route("/crm/v3/lists", self.create, methods=["POST"]),
            Route("/crm/v3/lists/", self.create, methods=["POST"]),
            Route("/crm/v3/lists/object-type-id/{type}/name/{name:path}", self.by_name, methods=["GET"]),
            Route(one, self.by_id, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(members, self.members, methods=["GET"]),
            Route(members + "/{action}", self.change, methods=["PUT"]),
            Route("/crm/v3/properties/{type}", self.properties, methods=["GET"]),
            Route("/crm/v3/properties/{type}", self.define, methods=["POST"]),
            Route(associate, self.associate, methods=["POST"]),
        ]

    def _list(self, column: str, value: object) -> dict[str, Any]:
        row = self.store.db.execute(f"SELECT * FROM lists WHERE {column} = ?", (value,)).fetchone()
        if row is None:
            raise rules.unknown("List does not exist.")
        size = self.store.db.execute("SELECT count(*) FROM members WHERE list = ?", (row["id"],)).fetchone()[0]
        about = {"listId": str(row["id"]), "name": row["name"], "processingType": row["processing"]}
        state = {"objectTypeId": "0-1", "processingStatus": "COMPLETE", "listVersion": 1, "size": size}
        return about | state | {"additionalProperties": {"hs_list_size": str(size)}}

    async def by_id(self, request: Request) -> Response:
        """One list."""
        return JSONResponse({"list": self._list("id", request.path_params["list"])})

    async def by_name(self, request: Request) -> Response:
        """One list by its name."""
        return JSONResponse({"list": self._list("name", request.path_params["name"])})

    async def create(self, request: Request) -> Response:
        """A new list; its name is its own."""
        given = await rules.body_of(request)
        if not given.get("name") or not given.get("objectTypeId") or not given.get("processingType"):
            raise rules.invalid("Some required fields were not set: [name, objectTypeId, processingType]")
        values = (given["name"], given["processingType"])
        done = self.store.db.execute("INSERT OR IGNORE INTO lists (name, processing) VALUES (?, ?)", values)
        if not done.rowcount:
            raise rules.invalid("A list with that name already exists")
        return JSONResponse({"list": self._list("id", done.lastrowid)})

    async def delete(self, request: Request) -> Response:
        """A list less; its records stay."""
        number = self._list("id", request.path_params["list"])["listId"]
        self.store.db.execute("DELETE FROM members WHERE list = ?", (number,))
        self.store.db.execute("DELETE FROM lists WHERE id = ?", (number,))
        return Response(status_code=204)

    async def members(self, request: Request) -> Response:
        """The records of a list, a page at a time."""
        number = self._list("id", request.path_params["list"])["listId"]
        limit = int(request.query_params.get("limit", "100"))
        if limit > PAGE:
            raise rules.invalid(f"limit exceeds {PAGE}")
        query = "SELECT record FROM members WHERE list = ? AND record > ? ORDER BY record LIMIT ?"
        after = int(request.query_params.get("after", "0"))
        rows = [row[0] for row in self.store.db.execute(query, (number, after, limit))]
        shown = [{"recordId": str(row), "membershipTimestamp": now()} for row in rows]
        more = {"paging": {"next": {"after": str(rows[-1])}}} if len(rows) == limit else {}
        return JSONResponse({"results": shown, **more})

    async def change(self, request: Request) -> Response:
        """Put records on a list that is kept by hand, or take them off; what is so already stays."""
        about, action = self._list("id", request.path_params["list"]), request.path_params["action"]
        ids = [str(one) for one in await rules.body_of(request, list)]
        if action not in ("add", "remove"):
            raise rules.unknown("resource not found")
        if about["processingType"] == "DYNAMIC":
            raise rules.invalid("Memberships of a DYNAMIC list cannot be changed")
        if len(ids) > rules.MOST_MEMBERSHIPS:
            raise rules.invalid(f"At most {rules.MOST_MEMBERSHIPS} records can be changed at once")
        there = [one for one in ids if self.store.find("contacts", one)]
        query = "INSERT OR IGNORE INTO members VALUES (?, ?)"
        if action == "remove":
            query = "DELETE FROM members WHERE list = ? AND record = ?"
        with self.store.all_or_nothing():
            done = [one for one in there if self.store.db.execute(query, (about["listId"], one)).rowcount]
        added, removed = (done, []) if action == "add" else ([], done)
        gone = sorted(set(ids) - set(there))
        told = {"recordsIdsAdded": added, "recordIdsAdded": added, "recordIdsRemoved": removed}
        return JSONResponse(told | {"recordIdsMissing": gone})

    async def properties(self, request: Request) -> Response:
        """The properties that records may have."""
        kind = request.path_params["type"]
        return JSONResponse({"results": [one for (type_, _), one in self.store.kinds.items() if type_ == kind]})

    async def define(self, request: Request) -> Response:
        """One property more."""
        given, kind = await rules.body_of(request), request.path_params["type"]
        lacking = [name for name in ("name", "label", "type", "fieldType", "groupName") if not given.get(name)]
        if lacking:
            raise rules.invalid(f"Some required fields were not set: {lacking}")
        if given["fieldType"] not in rules.FIELD_TYPES.get(given["type"], ()):
            raise rules.invalid(f"{given['fieldType']} does not go with {given['type']}")
        if not rules.PROPERTY.fullmatch(given["name"]):
            raise rules.invalid("A name has lower-case letters, digits and underscores, a letter first")
        if given["type"] == "enumeration" and not given.get("options"):
            raise rules.invalid("An enumeration needs options")
        if (kind, given["name"]) in self.store.kinds:
            raise rules.Refused(409, "OBJECT_ALREADY_EXISTS", f'A property named "{given["name"]}" already exists.')
        unique = [one for (type_, _), one in self.store.kinds.items() if type_ == kind and one["hasUniqueValue"]]
        if given.get("hasUniqueValue") and len(unique) > rules.MOST_UNIQUE:  # the e-mail's does not count
            raise rules.invalid("The limit of 10 unique value properties is reached")
        more = {name: given[name] for name in ("label", "options", "groupName") if name in given}
        names = (given["name"], given["type"], given["fieldType"])
        one = definition(*names, unique=bool(given.get("hasUniqueValue")), **more)
        self.store.define(kind, one)
        return JSONResponse(one, 201)

    async def associate(self, request: Request) -> Response:
        """Give contacts companies, by the default association."""
        inputs = rules.inputs_of(await rules.body_of(request), rules.MOST_ASSOCIATIONS)
        results = []
        with self.store.all_or_nothing():
            for one in inputs:
                pair = (str(one["from"]["id"]), str(one["to"]["id"]))
                if not self.store.find("contacts", pair[0]) or not self.store.find("companies", pair[1]):
                    raise rules.invalid("One or more IDs are not valid")
                self.store.db.execute("INSERT OR IGNORE INTO associations VALUES (?, ?)", pair)
                kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}
                results.append({"from": one["from"], "to": one["to"], "associationSpec": kind})
        return JSONResponse({"status": "COMPLETE", "results": results, "startedAt": now(), "completedAt": now()})
