"""A shop on Vendure as an administrator reads it: the Admin API over generated rows.

The contract, with its sources, is in ``docs/contracts/vendure.md``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from graphql import DocumentNode, GraphQLError, execute_sync, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators.vendure_rows import Document
from snello.sandbox.emulators.vendure_schema import SCHEMA
from snello.sandbox.emulators.vendure_store import TooMany, VendureStore
from snello.sandbox.emulators.watch import CALM, Watch, Weather

USER, PASSWORD, API_KEY, CHANNEL = "reader", "vendure-aurora", "vendure-aurora-key", "aurora-channel"
ROOT = "/admin-api"
RIGHTS = ("ReadCustomer", "ReadOrder", "ReadPromotion")
METHODS = ("cookie", "bearer", "api-key")


class Shop(Watch):
    """The server, the rows behind it, and the sessions that hold."""

    store: VendureStore
    sessions: set[str]


def vendure(
    rows: Mapping[str, Sequence[Document]] | None = None,
    *,
    rights: Iterable[str] = RIGHTS,
    methods: Iterable[str] = METHODS,
    precision: int = 2,
    channels: Iterable[str] = (CHANNEL, "aurora-outlet"),
    weather: Weather = CALM,
) -> Shop:
    """A shop.

    - ``rows``: of the lists that are named, in place of drawn ones
    - ``rights``: permissions of the administrator; ``methods``: how sessions are handed out and keys taken
    - ``precision``: digits behind the point of amounts, in every currency
    - ``channels``: their tokens; with one alone, any token will do
    """
    store = VendureStore(rows)
    door = Door(store, frozenset(rights), tuple(methods), precision, tuple(channels))
    app = Starlette(
        routes=[Route(ROOT, door.answer, methods=["POST"])],
        exception_handlers={404: _not_found},
    )
    shop = Shop(app, "vendure", store.counts, weather)
    shop.store, shop.sessions = store, door.sessions
    return shop


class Door:
    """The one address: whoever may ask, and what is asked."""

    def __init__(
        self, store: VendureStore, rights: frozenset[str], methods: tuple[str, ...], precision: int, channels: Any
    ) -> None:
        self.store, self.rights, self.methods = store, rights, methods
        self.precision, self.channels = precision, channels
        self.sessions: set[str] = set()

    async def answer(self, request: Request) -> Response:
        """What a query comes to: faults of the question are 400, all others are in a 200."""
        asked = json.loads(await request.body())
        if not asked.get("query"):
            return _refused("GraphQL operations must contain a non-empty `query`.", "BAD_REQUEST")
        try:
            document, faults = _checked(asked["query"])
        except GraphQLError as fault:
            return _refused(fault.message, "GRAPHQL_PARSE_FAILED")
        if faults:
            return _refused(faults[0], "GRAPHQL_VALIDATION_FAILED")
        visit = Visit(self, request)
        done = execute_sync(SCHEMA, document, visit, variable_values=asked.get("variables"), type_resolver=_type_of)
        response = JSONResponse(done.formatted)
        if visit.began and "bearer" in self.methods:
            response.headers["vendure-auth-token"] = visit.began
        if visit.began and "cookie" in self.methods:
            response.set_cookie("session", visit.began, httponly=True, samesite="lax")
        return response

    def knows(self, request: Request) -> bool:
        """Whether a session or a key came along; a cookie counts before a token, that before a key."""
        if "cookie" in self.methods and "session" in request.cookies:
            return request.cookies["session"] in self.sessions
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if "bearer" in self.methods and scheme.lower() == "bearer":
            return token in self.sessions
        return "api-key" in self.methods and request.headers.get("vendure-api-key") == API_KEY


class Visit:
    """One request: the root of what is asked."""

    def __init__(self, door: Door, request: Request) -> None:
        self.door, self.request = door, request
        self.began = ""

    def login(self, _info: Any, username: str, password: str, **_: Any) -> Document:
        """A session, or the result that says no: the status is 200 either way."""
        if (username, password) != (USER, PASSWORD):
            wrong = {"errorCode": "INVALID_CREDENTIALS_ERROR", "message": "The provided credentials are invalid"}
            return {"__typename": "InvalidCredentialsError", **wrong, "authenticationError": ""}
        self.began = secrets.token_hex(32)
        self.door.sessions.add(self.began)
        return {"__typename": "CurrentUser", "id": "1", "identifier": USER}

    def customers(self, _info: Any, options: Any = None) -> Document:
        """A page of customers."""
        return self._page("customers", "ReadCustomer", options)

    def orders(self, _info: Any, options: Any = None) -> Document:
        """A page of orders and carts."""
        return self._page("orders", "ReadOrder", options)

    def promotions(self, _info: Any, options: Any = None) -> Document:
        """A page of promotions."""
        return self._page("promotions", "ReadPromotion", options)

    def globalSettings(self, _info: Any) -> Document:
        """How amounts are counted, for whoever is logged in."""
        self._admit(None)
        return {"id": "1", "serverConfig": {"moneyStrategyPrecision": self.door.precision}}

    def _page(self, name: str, right: str, options: Any) -> Document:
        self._admit(right)
        try:
            return self.door.store.page(name, options)
        except TooMany:
            told = "Cannot take more than 1000 results from a list query"
            raise GraphQLError(told, extensions={"code": "USER_INPUT_ERROR"}) from None

    def _admit(self, right: str | None) -> None:
        """Let nobody see what is not theirs: no session and no right have one code."""
        token = self.request.headers.get("vendure-token")
        if token and len(self.door.channels) > 1 and token not in self.door.channels:
            raise GraphQLError("No Channel with the token was found", extensions={"code": "CHANNEL_NOT_FOUND"})
        known = self.door.knows(self.request)
        if not known and {"authorization", "vendure-api-key"} & set(self.request.headers):
            self.began = secrets.token_hex(32)  # a session of nobody, in place of the one that holds no longer
        if not known or (right is not None and right not in self.door.rights):
            told = "You are not currently authorized to perform this action"
            raise GraphQLError(told, extensions={"code": "FORBIDDEN"})


@cache
def _checked(query: str) -> tuple[DocumentNode, list[str]]:
    document = parse(query)
    return document, [fault.message for fault in validate(SCHEMA, document)]


def _type_of(value: Any, *_: Any) -> str:
    return str(value["__typename"])


def _refused(message: str, code: str) -> Response:
    return JSONResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, 400)


async def _not_found(request: Request, error: Exception) -> Response:
    about = {"statusCode": 404, "message": f"Cannot {request.method} {request.url.path}", "path": request.url.path}
    return JSONResponse(about, 404)
