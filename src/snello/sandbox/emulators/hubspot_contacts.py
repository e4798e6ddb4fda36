"""HubSpot's contacts, one by one and in batches, and companies as far as somebody must find them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators import hubspot_rules as rules
from snello.sandbox.emulators.hubspot_store import HubSpotStore, Record, now


class Contacts:
    """The routes of contacts."""

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
