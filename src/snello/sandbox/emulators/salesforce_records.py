"""Salesforce's records: descriptions, collections of them, and single rows by external id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators import salesforce_rules as rules
from snello.sandbox.emulators.salesforce_objects import OBJECTS
from snello.sandbox.emulators.salesforce_store import SalesforceStore


class Records:
    """The routes of records, below ``root``."""

    def __init__(self, store: SalesforceStore, root: str) -> None:
        self.store, self.root = store, root

    def routes(self) -> list[Route]:
        """Their paths."""
        composite = "/composite/sobjects"
        found = [
            (composite, self.update, "PATCH"),
            (composite, self.create, "POST"),
            (composite, self.delete, "DELETE"),
            (composite + "/{kind}/{name}", self.upsert, "PATCH"),
            ("/sobjects/{kind}/describe", self.describe, "GET"),
            ("/sobjects/{kind}", self.make, "POST"),
            ("/sobjects/{kind}/", self.make, "POST"),
            ("/sobjects/{kind}/{name}/{value}", self.upsert_one, "PATCH"),
        ]
        return [Route(self.root + path, route, methods=[method]) for path, route, method in found]

    # ---- descriptions

    async def describe(self, request: Request) -> Response:
        """The fields of an object."""
        kind = request.path_params["kind"]
        shown = list(self.store.fields(kind).values())
        rights = {"createable": True, "updateable": True, "deletable": True, "queryable": True}
        return JSONResponse({"name": kind, "fields": shown, **rights})

    # ---- collections

    async def upsert(self, request: Request) -> Response:
        """Create or change up to 200 records, each named by its external id."""
        kind, name = request.path_params["kind"], request.path_params["name"]
        field = self._key(kind, name)
        body = await rules.body_of(request)
        rows = [(one, self._values(kind, one)) for one in self._records(body, kind)]
        keys = [str(values.get(field, "")).lower() for _, values in rows]

        def write(place: int) -> dict[str, Any]:
            values = rows[place][1]
            if not keys[place]:
                raise rules.RowRefused("MISSING_ARGUMENT", f"{field} not specified")
            if keys.count(keys[place]) > 1:
                raise rules.RowRefused("DUPLICATE_VALUE", f"Duplicate external id specified: {values[field]}", [field])
            number = self.store.find(kind, field, values[field])
            made = self.store.write(kind, number, self.resolved(kind, values))
            return {"id": made, "success": True, "errors": [], "created": number is None}

        return self._all(body, len(rows), write)

    async def update(self, request: Request) -> Response:
        """Change up to 200 records by id."""
        body = await rules.body_of(request)
        rows = [(_type(one), str(one.get("id") or ""), one) for one in self._records(body)]
        parsed = [self._values(kind, one) for kind, _, one in rows]

        def write(place: int) -> dict[str, Any]:
            kind, number, _ = rows[place]
            if not number:
                raise rules.RowRefused("MISSING_ARGUMENT", "Id not specified in an update call")
            self.store.write(kind, number, self.resolved(kind, parsed[place]))
            return {"id": number, "success": True, "errors": []}

        return self._all(body, len(rows), write)

    async def create(self, request: Request) -> Response:
        """Create up to 200 records."""
        body = await rules.body_of(request)
        rows = [(_type(one), self._values(_type(one), one)) for one in self._records(body)]

        def write(place: int) -> dict[str, Any]:
            kind, values = rows[place]
            return {"id": self.store.write(kind, None, self.resolved(kind, values)), "success": True, "errors": []}

        return self._all(body, len(rows), write)

    async def delete(self, request: Request) -> Response:
        """Delete up to 200 records by id."""
        ids = [one for one in request.query_params.get("ids", "").split(",") if one]
        self._few(len(ids))

        def write(place: int) -> dict[str, Any]:
            kind = next((kind for kind in OBJECTS if self.store.record(kind, ids[place])), "")
            if not kind:
                raise rules.RowRefused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            self.store.delete(kind, ids[place])
            return {"id": ids[place], "success": True, "errors": []}

        return self._all({}, len(ids), write)

    def _all(self, body: Mapping[str, Any], many: int, write: Callable[[int], dict[str, Any]]) -> Response:
        results = []
        for place in range(many):
            try:
                with self.store.all_or_nothing():
                    results.append(write(place))
            except rules.RowRefused as fault:
                self.store.refused += 1
                results.append(fault.body())
        return JSONResponse(results)

    def _records(self, body: Mapping[str, Any], kind: str = "") -> list[dict[str, Any]]:
        records = body.get("records")
        if not isinstance(records, list) or not records:
            raise rules.Refused(400, "INVALID_INPUT", "The records are missing")
        self._few(len(records))
        if any(not _type(one) or (kind and _type(one) != kind) for one in records):
            raise rules.Refused(400, "INVALID_INPUT", "Include an entity type in all of the records in the request.")
        return records

    def _few(self, many: int) -> None:
        if many > rules.MOST_RECORDS:
            raise rules.Refused(400, "LIMIT_EXCEEDED", "record limit reached. cannot submit more than 200 records")

    def _key(self, kind: str, name: str) -> str:
        field = self.store.fields(kind).get(name.lower())
        if not field or not field["externalId"]:
            told = "Provided external ID field does not exist or is not accessible: " + name
            raise rules.Refused(404, "NOT_FOUND", told)
        return str(field["name"])

    def _values(self, kind: str, one: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a JSON record, if all are of the right types."""
        fields, found = self.store.fields(kind), dict[str, Any]()
        for name, value in one.items():
            if name in ("attributes", "id"):
                continue
            if isinstance(value, dict):
                if self.store.relation(kind, name) is None:
                    raise rules.no_column(name, kind)
                found |= {f"{name}.{inner}": text for inner, text in value.items() if inner != "attributes"}
            elif name.lower() not in fields:
                raise rules.no_column(name, kind)
            else:
                found[name] = rules.parsed(fields[name.lower()], value)
        return found

    def resolved(self, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values with the records that external ids of parents stand for; none is written that nobody may write."""
        found = {}
        for name, value in values.items():
            head, _, key = name.partition(".")
            if not key:
                field = self.store.fields(kind)[name.lower()]
                if not field["updateable"]:
                    told = f"Unable to create/update fields: {name}. Please check the security settings of this field"
                    raise rules.RowRefused("INVALID_FIELD_FOR_INSERT_UPDATE", told, [name])
                found[name] = value
                continue
            reference = self.store.relation(kind, head)
            assert reference
            parent = reference["referenceTo"][0]
            holder = self.store.find(parent, key, str(value))
            if holder is None:
                told = f"Foreign key external ID: {value} not found for field {key} in entity {parent}"
                raise rules.RowRefused("INVALID_FIELD", told)
            found[reference["name"]] = holder
        return found

    # ---- single rows

    async def make(self, request: Request) -> Response:
        """Create one record."""
        kind = request.path_params["kind"]
        return self._one(kind, None, self._values(kind, await rules.body_of(request)))

    async def upsert_one(self, request: Request) -> Response:
        """Create or change one record by its external id, or change it by its id."""
        kind, name, value = (request.path_params[part] for part in ("kind", "name", "value"))
        field = self._key(kind, name)
        values = self._values(kind, await rules.body_of(request))
        if field in values:
            told = f"The {field} field should not be specified in the sobject data."
            raise rules.Refused(400, "INVALID_FIELD", told)
        return self._one(kind, self.store.find(kind, field, value), values | {field: value})

    def _one(self, kind: str, number: str | None, values: Mapping[str, Any]) -> Response:
        try:
            with self.store.all_or_nothing():
                made = self.store.write(kind, number, self.resolved(kind, values))
        except rules.RowRefused as fault:
            told = {"message": fault.message, "errorCode": fault.code, "fields": fault.fields}
            return JSONResponse([told], 400)
        created = number is None
        return JSONResponse({"id": made, "success": True, "errors": [], "created": created}, 201 if created else 200)


def _type(one: Any) -> str:
    return str((one.get("attributes") or {}).get("type") or "") if isinstance(one, dict) else ""
