"""Google's Data Manager API, version 1: members of audiences, what became of requests, user lists, and logins.

The contract, with its sources, is in ``docs/contracts/google.md``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from snello.sandbox.emulators import google_rules as rules
from snello.sandbox.emulators.google_lists import Lists
from snello.sandbox.emulators.google_rules import Quota, Refused
from snello.sandbox.emulators.google_store import GoogleStore, Switches
from snello.sandbox.emulators.watch import CALM, Watch, Weather

ACCOUNT = "1234567890"
CLIENT_ID, CLIENT_SECRET = "aurora.apps.googleusercontent.com", "aurora-google-secret"
REFRESH_TOKEN = "1//aurora-refresh"
SERVICE_ACCOUNT = "snello@aurora.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/datamanager"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LISTS = ("long_absent",)


def google(
    database: Path | str = ":memory:",
    *,
    lists: Sequence[str] = LISTS,
    switches: Switches | None = None,
    quotas: tuple[Quota, Quota] | None = None,
    public_key: str = "",
    weather: Weather = CALM,
    home: str = "",
) -> ASGIApp:
    """A Google Ads account kept in ``database``.

    - ``quotas``: how many writing and reading requests it takes, by default 300 a minute of each
    - ``public_key``: PEM, with which assertions of the service account are checked; empty: it has no such account
    """
    store = GoogleStore(database, lists, switches or Switches())
    routes = [*Members(store).routes(), *Lists(store, ACCOUNT).routes(), *Inspection(store).routes()]
    routes.append(Route("/token", Logins(store, public_key).token, methods=["POST"]))
    app = Starlette(routes=routes, exception_handlers={Refused: rules.refusal})
    gate = Gate(app, store, quotas or (Quota(), Quota()))
    return Watch(gate, "google", store.counts, weather, home)


class Gate:
    """Token, permission and quota, before any route; requests that are due are processed first."""

    def __init__(self, app: ASGIApp, store: GoogleStore, quotas: tuple[Quota, Quota]) -> None:
        self.app, self.store, self.quotas = app, store, quotas

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            self.store.settle()
            try:
                self._check(Request(scope))
            except Refused as fault:
                await fault.answer()(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _check(self, request: Request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or not token:
            raise Refused(401, "CREDENTIALS_MISSING")
        if not self.store.admits(token):
            raise Refused(401, "ACCESS_TOKEN_EXPIRED")
        reading = request.method == "GET"
        if wait := self.quotas[reading].wait():
            raise rules.exhausted(wait, "ReadRequestsPerMinutePerProject" if reading else "RequestsPerMinutePerProject")
        if not self.store.switches.permission:
            raise Refused(403, "PERMISSION_DENIED")


class Logins:
    """Access tokens, for a refresh token or an assertion of the service account."""

    def __init__(self, store: GoogleStore, public_key: str) -> None:
        self.store, self.public_key = store, public_key

    async def token(self, request: Request) -> Response:
        """A token that is good for an hour."""
        given = dict(parse_qsl((await request.body()).decode()))
        known = self._refreshed(given) if given.get("grant_type") == "refresh_token" else self._asserted(given)
        if known:
            return JSONResponse({"error": known, "error_description": "Bad Request"}, 400)
        return JSONResponse({"access_token": self.store.issue(), "expires_in": 3599, "token_type": "Bearer"})

    def _refreshed(self, given: dict[str, str]) -> str:
        if (given.get("client_id"), given.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return "invalid_client"
        good = given.get("refresh_token") == REFRESH_TOKEN and self.store.switches.refreshing
        return "" if good else "invalid_grant"

    def _asserted(self, given: dict[str, str]) -> str:
        if given.get("grant_type") != JWT_BEARER or not self.public_key:
            return "unsupported_grant_type"
        try:
            claims = jwt.decode(
                given.get("assertion", ""), self.public_key, algorithms=["RS256"], options={"verify_aud": False}
            )
        except jwt.PyJWTError:
            return "invalid_grant"
        return "" if claims.get("iss") == SERVICE_ACCOUNT and claims.get("scope") == SCOPE else "invalid_scope"


class Members:
    """The routes of audience members, and of what became of requests."""

    def __init__(self, store: GoogleStore) -> None:
        self.store = store

    def routes(self) -> list[Route]:
        """Their paths."""
        return [
            Route("/v1/audienceMembers:ingest", self.ingest, methods=["POST"]),
            Route("/v1/audienceMembers:remove", self.remove, methods=["POST"]),
            Route("/v1/requestStatus:retrieve", self.status, methods=["GET"]),
        ]

    async def ingest(self, request: Request) -> Response:
        """Members to put on lists."""
        body = await rules.body_of(request, "IngestAudienceMembersRequest")
        terms = body.get("termsOfService", {}).get("customerMatchTermsOfServiceStatus")
        if terms != "ACCEPTED":
            raise Refused(400, "INVALID_ARGUMENT", [("terms_of_service", "TERMS_AND_CONDITIONS_NOT_SIGNED")])
        said = body.get("consent", {}).get("adUserData")
        fault = {"CONSENT_GRANTED": "", "CONSENT_DENIED": "DENIED_CONSENT"}.get(said, "NO_CONSENT")
        return self._accepted("ingest", body, fault)

    async def remove(self, request: Request) -> Response:
        """Members to take off lists."""
        return self._accepted("remove", await rules.body_of(request, "RemoveAudienceMembersRequest"), "")

    def _accepted(self, kind: str, body: dict[str, Any], fault: str) -> Response:
        destination = self._destination(body.get("destinations") or [])
        if body.get("encoding") != "HEX":
            raise Refused(400, "INVALID_ARGUMENT", [("encoding", "REQUIRED_FIELD_MISSING")])
        members = body.get("audienceMembers") or []
        rules.check_members(members)
        if body.get("validateOnly"):
            return JSONResponse({})
        return JSONResponse({"requestId": self.store.accept(kind, destination, members, fault)})

    def _destination(self, destinations: list[dict[str, Any]]) -> dict[str, Any]:
        """The one list that the request is for."""
        if len(destinations) != 1:
            reason = "TOO_MANY_DESTINATIONS" if len(destinations) > rules.MOST_DESTINATIONS else "INVALID_DESTINATION"
            raise Refused(400, "INVALID_ARGUMENT", [("destinations", reason)])
        one = destinations[0]
        account, login = one.get("operatingAccount", {}), one.get("loginAccount") or one.get("operatingAccount", {})
        if account.get("accountType") != "GOOGLE_ADS":
            reason = "DESTINATION_ACCOUNT_TYPE_MISMATCH"
            raise Refused(400, "INVALID_ARGUMENT", [("destinations[0].operating_account.account_type", reason)])
        switches = self.store.switches
        if account.get("accountId") != ACCOUNT or login.get("accountId") != (switches.manager or ACCOUNT):
            raise Refused(403, "PERMISSION_DENIED")
        if not switches.customer_match:
            raise Refused(403, "NOT_ALLOWLISTED")
        number = one.get("productDestinationId", "")
        about = self.store.about(int(number)) if re.fullmatch(r"\d+", number) else None
        place = "destinations[0].product_destination_id"
        if about is None:
            raise Refused(400, "INVALID_ARGUMENT", [(place, "INVALID_USER_LIST_ID")])
        if "CONTACT_ID" not in about["ingestedUserListInfo"]["uploadKeyTypes"]:
            raise Refused(400, "INVALID_ARGUMENT", [(place, "INVALID_USER_LIST_TYPE")])
        return one

    async def status(self, request: Request) -> Response:
        """What became of a request."""
        found = self.store.status(request.query_params.get("requestId", ""))
        if found is None:
            raise Refused(404, "NOT_FOUND")
        return JSONResponse({"requestStatusPerDestination": [found]})


class Inspection:
    """What no vendor has: a look at whom a list holds, and the account's behaviour."""

    def __init__(self, store: GoogleStore) -> None:
        self.store = store

    def routes(self) -> list[Route]:
        """Their paths."""
        return [
            Route("/_inspect/members/{list:int}", self.members, methods=["GET", "POST", "DELETE"]),
            Route("/_inspect/switches", self.switches, methods=["POST"]),
            Route("/_inspect/tokens", self.tokens, methods=["DELETE"]),
            Route("/_inspect/lists/{list:int}", self.lists, methods=["PATCH", "DELETE"]),
        ]

    async def members(self, request: Request) -> Response:
        """The identifiers on a list; put some there, or take them away."""
        number = request.path_params["list"]
        self.store.settle()
        if request.method != "GET":
            (self.store.put if request.method == "POST" else self.store.take)(number, await request.json())
        return JSONResponse(self.store.members(number))

    async def switches(self, request: Request) -> Response:
        """Behave otherwise from now on."""
        self.store.switches = replace(self.store.switches, **await request.json())
        return Response(status_code=204)

    async def tokens(self, request: Request) -> Response:
        """Let every access token run out."""
        self.store.revoke()
        return Response(status_code=204)

    async def lists(self, request: Request) -> Response:
        """Change a list, or delete it."""
        number = request.path_params["list"]
        if request.method == "DELETE":
            self.store.drop_list(number)
        else:
            self.store.change_list(number, await request.json())
        return Response(status_code=204)
