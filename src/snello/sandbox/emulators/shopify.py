"""Shopify's Admin GraphQL API over the rows of a shop: customers, orders, abandoned checkouts, bulk operations.

The contract, with its sources, is in ``docs/contracts/shopify.md``.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, execute_sync, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from snello.sandbox.emulators.shopify_answers import Asking, schema
from snello.sandbox.emulators.shopify_bulk import FOLDER, file_of, with_bulk
from snello.sandbox.emulators.shopify_cost import MOST_A_QUERY, Pricing, used
from snello.sandbox.emulators.shopify_rows import gid
from snello.sandbox.emulators.shopify_schema import VERSION
from snello.sandbox.emulators.shopify_store import ShopifyStore
from snello.sandbox.emulators.watch import CALM, Watch, Weather

TOKEN = "shpat_aurora"
VERSIONS = ("2026-01", "2026-04", "2026-07", VERSION)
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def shopify(store: ShopifyStore, *, weather: Weather = CALM, token: str = TOKEN, home: str = "") -> ASGIApp:
    """The Admin API of a shop."""
    door = Door(store, token)
    routes = [
        Route("/admin/api/{version}/graphql.json", door.query, methods=["POST"]),
        Route(FOLDER + "/{number:int}.jsonl", door.file, methods=["GET"]),
    ]
    return Watch(Starlette(routes=routes), "shopify", store.counts, weather, home)


class Door:
    """The one address of the API, behind a token, and the files of bulk operations, which need none."""

    def __init__(self, store: ShopifyStore, token: str) -> None:
        self.store, self.token, self.schema = store, token, _schema()

    async def query(self, request: Request) -> Response:
        """The answer to a query or mutation: 200 whatever it says, but for a token that is none."""
        if request.headers.get("X-Shopify-Access-Token") != self.token:
            words = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return JSONResponse({"errors": words}, 401)
        asked = request.path_params["version"]
        served = asked if asked in VERSIONS else VERSIONS[0]
        try:
            body = await request.json()
        except json.JSONDecodeError:
            return JSONResponse({"errors": "Bad Request"}, 400)
        answer = self._answer(str(body.get("query")), body.get("variables") or {}, str(request.base_url).rstrip("/"))
        return JSONResponse(answer, headers={"X-Shopify-API-Version": served})

    def _answer(self, query: str, variables: dict[str, Any], root: str) -> dict[str, Any]:
        try:
            document, wrong = _read(query)
        except GraphQLError as error:
            return _errors("BAD_REQUEST", error.message)
        if wrong:
            return _errors("undefinedField", wrong)
        bucket = self.store.bucket
        asked = Pricing(self.schema, document, variables).price()
        if asked > MOST_A_QUERY:
            text = f"Query cost is {asked}, which exceeds the single query max cost limit ({MOST_A_QUERY})."
            return _errors("MAX_COST_EXCEEDED", text)
        if not bucket.take(asked):
            return _errors("THROTTLED", "Throttled") | self._cost(asked, None)
        asking = Asking(self.store, root=root)
        done = execute_sync(self.schema, document, variable_values=variables, context_value=asking)
        cost = min(asked, used(list((done.data or {}).values())))
        bucket.give_back(asked - cost)
        return {**done.formatted} | self._cost(asked, cost)

    def _cost(self, asked: int, actual: int | None) -> dict[str, Any]:
        told = {"requestedQueryCost": asked, "actualQueryCost": actual, "throttleStatus": self.store.bucket.status()}
        return {"extensions": {"cost": told}}

    async def file(self, request: Request) -> Response:
        """The file of an operation, or the piece of it that is asked for."""
        operation = self.store.operations.get(gid("BulkOperation", request.path_params["number"]))
        if operation is None or self.store.expired:
            return Response("<Error><Code>ExpiredToken</Code></Error>", 400, media_type="application/xml")
        content = file_of(operation)
        found = _RANGE.fullmatch(request.headers.get("Range", ""))
        if not found:
            return Response(content, media_type="application/jsonl")
        start, end = int(found[1]), int(found[2] or len(content)) + 1
        if start >= len(content):
            return Response(status_code=416, headers={"Content-Range": f"bytes */{len(content)}"})
        piece = content[start:end]
        told = {"Content-Range": f"bytes {start}-{start + len(piece) - 1}/{len(content)}"}
        return Response(piece, 206, told, "application/jsonl")


@cache
def _schema() -> GraphQLSchema:
    """The schema of every shop of this process: its resolvers take the shop out of the context."""
    return with_bulk(schema())


@lru_cache(maxsize=64)
def _read(query: str) -> tuple[DocumentNode, str]:
    """A query, read once however often it is asked, and what is wrong with it. Raises ``GraphQLError``."""
    document = parse(query)
    wrong = validate(_schema(), document)
    return document, wrong[0].message if wrong else ""


def _errors(code: str, message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
