"""WooCommerce's REST interface, version 3, over the generated shop: customers, orders, product reviews.

The contract, with its sources, is in ``docs/contracts/woocommerce.md``.
"""

from __future__ import annotations

import base64
import binascii
import math
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from snello.sandbox.emulators.shop_query import COLLECTIONS, Collection, Params, Refused
from snello.sandbox.emulators.shop_store import ShopStore
from snello.sandbox.emulators.watch import CALM, Watch, Weather

KEY, SECRET = "ck_aurora", "cs_aurora"
ROOT = "/wp-json/wc/v3"


def shop(company: Path, *, weather: Weather = CALM, key: str = KEY, secret: str = SECRET) -> ASGIApp:
    """The shop of a generated company, as a WooCommerce server."""
    store = ShopStore(company / "shop")
    routes = [Route("/wp-json/", lambda request: JSONResponse({"name": "Aurora", "namespaces": ["wc/v3"]}))]
    for collection in COLLECTIONS:
        door = Door(store, collection, (key, secret))
        routes.append(Route(f"{ROOT}/{collection.path}", door.listing, methods=["GET"]))
        routes.append(
            Route(f"{ROOT}/{collection.path}/{{id:int}}", door.single, methods=["GET", "PUT", "POST", "DELETE"])
        )
    refunds = Refunds(
        store, next(collection for collection in COLLECTIONS if collection.name == "orders"), (key, secret)
    )
    routes.append(Route(f"{ROOT}/orders/{{order:int}}/refunds", refunds.listing, methods=["GET"]))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route, Refused: _refused})
    return Watch(app, "shop", store.counts, weather, str(company.parent.resolve()))


class Door:
    """The routes of one collection, behind the keys."""

    def __init__(self, store: ShopStore, collection: Collection, keys: tuple[str, str]) -> None:
        self.store, self.collection, self.keys = store, collection, keys

    async def listing(self, request: Request) -> Response:
        """A page of the collection, its size in the headers."""
        self.admit(request)
        params = Params.read(request.query_params, self.collection)
        rows = self.store.select(self.collection, params)
        pages = math.ceil(len(rows) / params.per_page)
        start = params.offset if params.offset is not None else (params.page - 1) * params.per_page
        page = self.store.documents(self.collection, rows[start : start + params.per_page])
        headers = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
        if links := _links(request, params.page, pages):
            headers["Link"] = links
        return JSONResponse(page, headers=headers)

    async def single(self, request: Request) -> Response:
        """One document; PUT and POST change the fields that are given, DELETE needs ``force=true``."""
        self.admit(request)
        number = request.path_params["id"]
        if request.method == "DELETE":
            if request.query_params.get("force", "false").lower() not in ("true", "1"):
                raise Refused(501, "woocommerce_rest_trash_not_supported", "The resource does not support trashing.")
            document = self.store.delete(self.collection, number)
        else:
            changes: dict[str, Any] = await request.json() if request.method != "GET" else {}
            document = self._changed(number, changes)
        if document is None:
            raise Refused(404, *self.collection.unknown)
        return JSONResponse(document)

    def _changed(self, number: int, changes: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return self.store.single(self.collection, number, changes)
        except (TypeError, ValueError):
            wrong = {"date_modified_gmt": "Invalid date."}
            raise Refused(400, "rest_invalid_param", "Invalid parameter(s): date_modified_gmt", wrong) from None

    def admit(self, request: Request) -> None:
        """Let nobody in without the keys."""
        given = _credentials(request)
        if given is None:
            raise Refused(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        if given[0] != self.keys[0]:
            raise Refused(401, "woocommerce_rest_authentication_error", "Consumer key is invalid.")
        if given[1] != self.keys[1]:
            raise Refused(401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.")


class Refunds(Door):
    """The refunds of one order, newest first."""

    async def listing(self, request: Request) -> Response:
        """A page of them."""
        self.admit(request)
        params = Params.read(request.query_params, self.collection)
        found = self.store.refunds(request.path_params["order"])
        if found is None:
            raise Refused(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
        start = (params.page - 1) * params.per_page
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(math.ceil(len(found) / params.per_page))}
        return JSONResponse(found[start : start + params.per_page], headers=headers)


def _credentials(request: Request) -> tuple[str, str] | None:
    """Consumer key and secret, from Basic authentication or from the query."""
    query = request.query_params
    if "consumer_key" in query:
        return query["consumer_key"], query.get("consumer_secret", "")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, password


def _links(request: Request, page: int, pages: int) -> str:
    around = {"prev": page - 1, "next": page + 1}
    return ", ".join(
        f'<{request.url.include_query_params(page=number)}>; rel="{rel}"'
        for rel, number in around.items()
        if 1 <= number <= pages
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"code": error.code, "message": error.message, "data": error.data}, error.status)


async def _no_route(request: Request, error: Exception) -> Response:
    message = "No route was found matching the URL and request method."
    return JSONResponse({"code": "rest_no_route", "message": message, "data": {"status": 404}}, 404)
