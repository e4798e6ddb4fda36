"""Salesforce's REST API with collections and Bulk API 2.0: the org, its login and its door.

The contract, with its sources, is in ``docs/contracts/salesforce.md``.
"""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import parse_qs, unquote_plus

import jwt
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snello.sandbox.emulators import salesforce_rules as rules
from snello.sandbox.emulators.salesforce_jobs import USER, Jobs, Works
from snello.sandbox.emulators.salesforce_query import Questions
from snello.sandbox.emulators.salesforce_records import Records
from snello.sandbox.emulators.salesforce_store import SalesforceStore
from snello.sandbox.emulators.watch import CALM, Watch, Weather

CLIENT_ID, CLIENT_SECRET, USERNAME = "aurora-connected-app", "aurora-consumer-secret", "snello@aurora.example"
CAMPAIGNS = ("long_absent",)
ROOT, AUDIENCE = "/services/data/v66.0", "https://login.salesforce.com"
LONGEST_ASSERTION = 180  # seconds
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOO_MANY = {
    "daily": "TotalRequests Limit exceeded.",
    "concurrent": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
}


def salesforce(
    database: Path | str = ":memory:",
    *,
    campaigns: Sequence[str] = CAMPAIGNS,
    public_key: str | None = None,
    hidden: Collection[str] = (),
    duplicates: bool = False,
    api: bool = True,
    may_edit: bool = True,
    daily: int = 100_000,
    concurrent: int = 0,
    locked: int = 0,
    works: Works | None = None,
    weather: Weather = CALM,
    home: str = "",
) -> ASGIApp:
    """A Salesforce org kept in ``database``, with one connected app.

    - ``campaigns``: by name; ``public_key``: of the certificate for logins by assertion
    - ``hidden``: fields that the user may not see
    - ``duplicates``: whether a rule refuses new records with an e-mail that another has
    - ``api``, ``may_edit``: whether the org has the API, and the user may write; ``daily``: calls in 24 hours
    - ``concurrent``, ``locked``: so many calls meet too many others at once, so many rows a lock
    - ``works``: how bulk jobs go
    """
    store = SalesforceStore(database, hidden, duplicates)
    for name in campaigns:
        store.campaign(name)
    store.locked = locked
    records = Records(store, ROOT)
    login = Login(store, public_key)
    routes = [*records.routes(), *Questions(store, ROOT).routes(), *Jobs(records, works or Works()).routes()]
    app = Starlette(
        routes=[*routes, *login.routes()], exception_handlers={rules.Refused: rules.refusal, HTTPException: _no_route}
    )
    gate = Gate(app, store, api, may_edit, daily, concurrent)
    return Watch(gate, "salesforce", store.counts, weather, home)


async def _no_route(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    told = {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}
    return JSONResponse([told], status)


class Login:
    """Tokens, by the client's secret or by a signed assertion, and who it is that has one."""

    def __init__(self, store: SalesforceStore, public_key: str | None) -> None:
        self.store, self.public_key = store, public_key

    def routes(self) -> list[Route]:
        """Their paths."""
        return [
            Route("/services/oauth2/token", self.token, methods=["POST"]),
            Route(ROOT, self.resources, methods=["GET"]),
            Route(ROOT + "/", self.resources, methods=["GET"]),
            Route("/_inspect/expire", self.expire, methods=["POST"]),
        ]

    async def token(self, request: Request) -> Response:
        """A token, and where the org lives."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        match form.get("grant_type"):
            case "client_credentials":
                fault = "" if _client(request, form) == (CLIENT_ID, CLIENT_SECRET) else "invalid_client"
            case grant if grant == JWT_BEARER:
                fault = "" if self._vouched(form.get("assertion", "")) else "invalid_grant"
            case _:
                fault = "unsupported_grant_type"
        if fault:
            return JSONResponse({"error": fault, "error_description": "the login is not taken"}, 400)
        here = str(request.base_url).rstrip("/")
        told = {"instance_url": here, "id": f"{here}/id/00D000000000001AAA/{USER}", "token_type": "Bearer"}
        stamp = {"issued_at": str(round(time.time() * 1000)), "signature": "c2lnbmF0dXJl", "scope": "api id"}
        return JSONResponse({"access_token": self.store.login()} | told | stamp)

    def _vouched(self, assertion: str) -> bool:
        if self.public_key is None:
            return False
        try:
            claims = jwt.decode(assertion, self.public_key, algorithms=["RS256"], audience=AUDIENCE)
        except jwt.PyJWTError:
            return False
        known = claims.get("iss") == CLIENT_ID and claims.get("sub") == USERNAME
        return known and claims["exp"] - time.time() <= LONGEST_ASSERTION

    async def resources(self, request: Request) -> Response:
        """What there is below the version, and who asks."""
        here = str(request.base_url).rstrip("/")
        told = {"sobjects": ROOT + "/sobjects", "composite": ROOT + "/composite", "jobs": ROOT + "/jobs"}
        return JSONResponse(told | {"identity": f"{here}/id/00D000000000001AAA/{USER}"})

    async def expire(self, request: Request) -> Response:
        """All tokens run out, for tests."""
        self.store.db.execute("DELETE FROM sessions")
        return Response(status_code=204)


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    basic = request.headers.get("authorization", "").removeprefix("Basic ")
    if basic:
        user, _, secret = b64decode(basic).decode().partition(":")
        return unquote_plus(user), unquote_plus(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


class Gate:
    """Token, allowances and rights, before any route."""

    def __init__(
        self, app: ASGIApp, store: SalesforceStore, api: bool, may_edit: bool, daily: int, concurrent: int
    ) -> None:
        self.app, self.store, self.api, self.may_edit = app, store, api, may_edit
        self.daily, self.concurrent, self.used = daily, concurrent, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        if scope["type"] != "http" or scope["path"].startswith(("/_inspect", "/services/oauth2")):
            await self.app(scope, receive, send)
            return
        refusal = self._stopped(Request(scope))
        self.used += 1

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = f"api-usage={min(self.used, self.daily)}/{self.daily}"
                message["headers"] = [*message["headers"], (b"sforce-limit-info", told.encode())]
            await send(message)

        await (refusal or self.app)(scope, receive, stamped)

    def _stopped(self, request: Request) -> Response | None:
        """The answer to a call without a good token, or beyond what it may do."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self.store.known(token):
            return _refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if not self.api:
            return _refused(403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner")
        if self.used >= self.daily:
            return _refused(403, "REQUEST_LIMIT_EXCEEDED", TOO_MANY["daily"])
        if self.concurrent > 0:
            self.concurrent -= 1
            return _refused(403, "REQUEST_LIMIT_EXCEEDED", TOO_MANY["concurrent"])
        if not self.may_edit and request.method != "GET":
            return _refused(403, "INSUFFICIENT_ACCESS", "insufficient access rights on object id")
        return None


def _refused(status: int, code: str, message: str) -> Response:
    return JSONResponse([{"message": message, "errorCode": code}], status)
