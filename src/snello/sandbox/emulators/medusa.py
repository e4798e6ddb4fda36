"""Medusa's Admin API, version 2, over a small shop: customers, orders, returns, store credit and gift cards.

The contract, with its sources, is in ``docs/contracts/medusa.md``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from snello.sandbox.emulators.medusa_documents import address
from snello.sandbox.emulators.medusa_query import BOOKINGS, LISTINGS, Asked, Listing, Refused, shown, tree
from snello.sandbox.emulators.medusa_rows import amount, key
from snello.sandbox.emulators.medusa_store import MedusaStore
from snello.sandbox.emulators.watch import CALM, Watch, Weather

KEY = "sk_aurora"
USER, PASSWORD = "reader@example.org", "sesame-reader"
Answering = Callable[[Request], Awaitable[Response]]


def medusa(store: MedusaStore, *, weather: Weather = CALM, has_loyalty: bool = True) -> ASGIApp:
    """A shop with these rows; without its plugin it knows nothing of store credit and gift cards."""
    shop = Shop(store)
    routes = [Route("/auth/user/emailpass", shop.login, methods=["POST"])]
    for listing in LISTINGS:
        if has_loyalty or listing.table in ("customers", "orders", "returns"):
            routes.append(Route(f"/admin/{listing.path}", shop.listing(listing)))
            routes.append(
                Route(f"/admin/{listing.path}/{{id}}", shop.single(listing), methods=["GET", "POST", "DELETE"])
            )
    routes.append(Route("/admin/customers/{id}/addresses", shop.new_address, methods=["POST"]))
    routes.append(Route("/admin/orders/{id}/refund", shop.refund, methods=["POST"]))
    if has_loyalty:
        routes.append(Route("/admin/store-credit-accounts/{id}/transactions", shop.bookings))
        routes.append(Route("/admin/store-credit-accounts/{id}/credit", shop.credit, methods=["POST"]))
    app = Starlette(routes=routes, exception_handlers={Refused: _refused})
    return Watch(app, "medusa", store.counts, weather)


class Shop:
    """The routes, behind the key or a token."""

    def __init__(self, store: MedusaStore) -> None:
        self.store = store
        self.tokens: set[str] = set()

    async def login(self, request: Request) -> Response:
        """A token for a user."""
        given = await request.json()
        if (given.get("email"), given.get("password")) != (USER, PASSWORD):
            raise Refused(401, "unauthorized", "Invalid email or password")
        self.tokens.add(token := f"token-{len(self.tokens) + 1}-of-the-shop")
        return JSONResponse({"token": token})

    def listing(self, listing: Listing) -> Answering:
        """A page of a list."""

        async def answer(request: Request) -> Response:
            self.admit(request)
            return self.page(request, listing, self.store.tables[listing.table].keys)

        return answer

    def single(self, listing: Listing) -> Answering:
        """One row: shown, changed or deleted."""

        async def answer(request: Request) -> Response:
            self.admit(request)
            name, table = request.path_params["id"], self.store.tables[listing.table]
            if table.get(name) is None:
                raise Refused(404, "not_found", f"{listing.single} with id: {name} not found")
            if request.method == "DELETE":
                table.delete(name)
                return JSONResponse({"id": name, "object": listing.single, "deleted": True})
            if request.method == "POST":
                table.change(name, **await request.json())
            row = self.store.row(listing.table, name) or {}
            return JSONResponse({listing.single: shown(row, tree(request.query_params.get("fields", "")))})

        return answer

    async def bookings(self, request: Request) -> Response:
        """A page of an account's bookings; of an account that is none, an empty one."""
        self.admit(request)
        return self.page(request, BOOKINGS, [row["id"] for row in self.store.bookings(request.path_params["id"])])

    async def new_address(self, request: Request) -> Response:
        """One more address of a customer, whose moment stays."""
        self.admit(request)
        name, customers = request.path_params["id"], self.store.tables["customers"]
        before = (customers.get(name) or {}).get("addresses", [])
        given = address(900_000 + len(before)) | await request.json() | {"customer_id": name}
        return JSONResponse({"customer": shown(customers.touch(name, addresses=[*before, given]), {})})

    async def refund(self, request: Request) -> Response:
        """Money back for an order, as a credit line of it."""
        self.admit(request)
        name, orders = request.path_params["id"], self.store.tables["orders"]
        back = (await request.json())["amount"]
        before = orders.get(name) or {}
        line = {"id": key("ordcl", 900_000), **amount("amount", back), "reference": "payment_collection"}
        values = {
            "version": before["version"] + 1,
            "total": round(before["total"] - back, 4),
            "credit_line_total": before["credit_line_total"] + back,
            "credit_lines": [*before["credit_lines"], line],
            "summary": before["summary"] | amount("refunded_total", before["summary"]["refunded_total"] + back),
            "payment_status": "partially_refunded",
        }
        return JSONResponse({"order": shown(orders.change(name, **values), {})})

    async def credit(self, request: Request) -> Response:
        """One more booking on an account, whose moment stays."""
        self.admit(request)
        name, given = request.path_params["id"], await request.json()
        values = {"account_id": name, "type": "credit", "amount": given["amount"], "reference": "user"}
        self.store.tables["transactions"].add(**values)
        return JSONResponse({"store_credit_account": shown(self.store.row("store_credit_accounts", name) or {}, {})})

    def page(self, request: Request, listing: Listing, keys: Sequence[str]) -> Response:
        """A page of some rows, with their number."""
        asked = Asked.read(request.query_params, listing)
        found = asked.select(self.store.tables[listing.table], keys)
        rows = [self.store.row(listing.table, name) or {} for name in found[asked.offset :][: asked.limit]]
        about = {"count": len(found), "offset": asked.offset, "limit": asked.limit}
        body: dict[str, Any] = {listing.table: [shown(row, asked.fields) for row in rows], **about}
        return JSONResponse(body, headers={"Date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")})

    def admit(self, request: Request) -> None:
        """Raise unless the request bears the key, as it is or as Basic has it, or a token of a login."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and value in self.tokens:
            return
        if kind.lower() == "basic" and KEY in (value, _decoded(value)):
            return
        raise Unauthorized


class Unauthorized(Refused):
    """The answer to whoever is not known; it has no type."""

    def __init__(self) -> None:
        super().__init__(401, "unauthorized", "Unauthorized")
        self.body = {"message": "Unauthorized"}


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().removesuffix(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refused)
    return JSONResponse(refusal.body, refusal.status)
