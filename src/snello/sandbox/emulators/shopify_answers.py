"""How the stand-in finds what a query asks for: lists with cursors, single rows, counts, bulk operations."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema
from graphql.type import GraphQLObjectType

from snello.sandbox.emulators.shopify_rows import Row
from snello.sandbox.emulators.shopify_schema import SDL
from snello.sandbox.emulators.shopify_store import DEEPEST, KINDS, NEEDED, ShopifyStore, place

LARGEST_PAGE = 250


@dataclass(frozen=True)
class Asking:
    """What a resolver knows: the shop, and whether a bulk operation asks, which takes lists whole.

    - ``root``: address of the service, which files are under
    """

    store: ShopifyStore
    whole: bool = False
    root: str = ""


def denied(path: str, scope: str | None) -> GraphQLError:
    """The refusal of a field: for a scope that the app lacks, or for protected customer data."""
    if scope is None:
        text = f"This app is not approved to access the {path} object."
        return GraphQLError(text, extensions={"code": "ACCESS_DENIED", "documentation": "https://shopify.dev/"})
    needs = f"`{scope}` access scope."
    text = f"Access denied for {path} field. Required access: {needs}"
    return GraphQLError(text, extensions={"code": "ACCESS_DENIED", "requiredAccess": needs})


def admit(store: ShopifyStore, name: str) -> None:
    """Refuse a list that the app may not read."""
    if NEEDED[name] not in store.scopes:
        raise denied(name, NEEDED[name])
    if not store.approved:
        raise denied({held: kind for kind, held in KINDS.items()}[name], None)


def connection(rows: list[Row], asking: Asking, sort: str, **given: Any) -> Row:
    """A page of rows, as a connection; the cursor is the place of a row, whatever comes or goes before it."""
    if asking.whole:
        return _page(rows, 0, len(rows), sort)
    size = given.get("first")
    if size is None:
        raise _wrong("you must provide one of first or last")
    if not 0 <= size <= LARGEST_PAGE:
        raise _wrong(f"first must be between 0 and {LARGEST_PAGE}")
    start = 0
    if given.get("after") is not None:
        behind = _place(given["after"])
        start = sum(place(row, sort) <= behind for row in rows)
    if start + size > DEEPEST:
        raise _wrong(f"pages end at {DEEPEST} objects")
    return _page(rows, start, start + size, sort)


def _page(rows: list[Row], start: int, end: int, sort: str) -> Row:
    page = rows[start:end]
    edges = [{"cursor": _cursor(row, sort), "node": row} for row in page]
    cursors = [edge["cursor"] for edge in edges]
    more = {"hasNextPage": end < len(rows), "hasPreviousPage": start > 0}
    ends = {"startCursor": cursors[0] if cursors else None, "endCursor": cursors[-1] if cursors else None}
    return {"edges": edges, "nodes": page, "pageInfo": {**more, **ends}}


def _cursor(row: Row, sort: str) -> str:
    return base64.b64encode(json.dumps(place(row, sort)).encode()).decode()


def _place(cursor: str) -> tuple[str, int]:
    try:
        moment, number = json.loads(base64.b64decode(cursor, validate=True))
    except (ValueError, binascii.Error):
        raise _wrong("Invalid cursor for current pagination sort.") from None
    return str(moment), int(number)


def _wrong(text: str) -> GraphQLError:
    return GraphQLError(text, extensions={"code": "BAD_REQUEST"})


def _listing(name: str) -> Any:
    def resolve(_: Any, info: GraphQLResolveInfo[Asking], **given: Any) -> Row:
        asking: Asking = info.context
        admit(asking.store, name)
        sort = given.pop("sortKey")
        rows = asking.store.rows(name, given.get("query"), sort, reverse=bool(given.get("reverse")))
        return connection(rows, asking, sort, **given)

    return resolve


def _count(name: str) -> Any:
    def resolve(_: Any, info: GraphQLResolveInfo[Asking], limit: int | None = None, query: str | None = None) -> Row:
        store = info.context.store
        admit(store, name)
        found = len(store.rows(name, query))
        return {"count": found if limit is None else min(found, limit)}

    return resolve


def _lines(row: Row, info: GraphQLResolveInfo[Asking], **given: Any) -> Row:
    return connection(row["lineItems"], info.context, "ID", **given)


def _product(row: Row, info: GraphQLResolveInfo[Asking]) -> Any:
    if "read_products" not in info.context.store.scopes:
        raise denied("product", "read_products")
    return row["product"]


def row_of(asking: Asking, number: str) -> Row | None:
    """The row of a global id, where it is one of the lists'."""
    kind = number.rpartition("/")[0].rpartition("/")[2]
    if kind not in KINDS:
        return None
    admit(asking.store, KINDS[kind])
    found = asking.store.single(number)
    return found and {"__typename": kind, **found}


def _installation(_: Any, info: GraphQLResolveInfo[Asking]) -> Row:
    return {"accessScopes": [{"handle": scope} for scope in sorted(info.context.store.scopes)]}


def schema() -> GraphQLSchema:
    """The schema with the resolvers of its lists; what has none is taken out of the row."""
    built = build_schema(SDL)

    def fields(name: str) -> Any:
        found = built.type_map[name]
        assert isinstance(found, GraphQLObjectType)
        return found.fields

    for name in NEEDED:
        fields("QueryRoot")[name].resolve = _listing(name)
        fields("QueryRoot")[f"{name}Count"].resolve = _count(name)
    for name in ("Order", "AbandonedCheckout"):
        fields(name)["lineItems"].resolve = _lines
    for name in ("LineItem", "AbandonedCheckoutLineItem"):
        fields(name)["product"].resolve = _product
    fields("QueryRoot")["currentAppInstallation"].resolve = _installation
    return built
