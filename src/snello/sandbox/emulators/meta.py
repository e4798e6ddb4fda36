"""Meta's Graph API: an ad account and the members of its custom audiences.

The contract, with its sources, is in ``docs/contracts/meta.md``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snello.sandbox.emulators import meta_rules as rules
from snello.sandbox.emulators.meta_rules import Limits, Refused
from snello.sandbox.emulators.meta_store import REPLACING, MetaStore
from snello.sandbox.emulators.watch import CALM, Watch, Weather

ACCESS_TOKEN = "EAAaurora0meta0token"
APP_SECRET = "aurora0app0secret"
AD_ACCOUNT = "1020304050"
AUDIENCES = ("long_absent",)
VERSIONS = ("v24.0", "v25.0", "v26.0")
FLAGGED = 471


@dataclass
class Rights:
    """What the token and the account lack: by default nothing; all of it can be changed while it runs.

    - ``token``: subcode of code 190, say 463 for one that has expired
    - ``account_status``: 1 active, 2 disabled, 101 closed
    - ``signed``: calls without ``appsecret_proof`` are refused
    """

    token: int | None = None
    permission: bool = True
    terms: bool = True
    account_status: int = 1
    signed: bool = False


def meta(
    database: Path | str = ":memory:",
    *,
    audiences: Sequence[str] = AUDIENCES,
    rights: Rights | None = None,
    limits: Limits | None = None,
    processing_seconds: float = 0.0,
    forgets_external_ids: bool = False,
    weather: Weather = CALM,
    home: str = "",
) -> ASGIApp:
    """An ad account at Meta kept in ``database``.

    - ``limits``: how often it may be called, by default as Meta publishes for its standard tier
    - ``processing_seconds``: how long a change of members is under way; infinite: it never ends
    - ``forgets_external_ids``: 90 days have passed since members were added
    """
    store = MetaStore(database, audiences, processing_seconds, forgets_external_ids)
    rights = rights or Rights()
    graph = Graph(store, rights)
    app = Starlette(routes=graph.routes(), exception_handlers={Refused: rules.refusal})
    return Watch(Gate(app, limits or Limits(), rights), "meta", store.counts, weather, home)


class Gate:
    """Version, token and limits, before any route."""

    def __init__(self, app: ASGIApp, limits: Limits, rights: Rights) -> None:
        self.app, self.limits, self.rights = app, limits, rights

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        if scope["type"] != "http" or scope["path"].startswith("/_inspect"):
            await self.app(scope, receive, send)
            return
        refused = self._stopped(Request(scope))
        over, headers = self.limits.take(scope["method"])
        refused = refused or over

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in headers.items())]
            await send(message)

        answer = JSONResponse(refused.body, refused.status) if refused else None
        await (answer or self.app)(scope, receive, stamped)

    def _stopped(self, request: Request) -> Refused | None:
        if request.url.path.split("/")[1] not in VERSIONS:
            return Refused(400, 2635, "You are calling a deprecated version of the Ads API.")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token if scheme in ("Bearer", "OAuth") else request.query_params.get("access_token", "")
        if token != ACCESS_TOKEN or self.rights.token is not None:
            return Refused(400, 190, "Error validating access token", self.rights.token or 0)
        proof = request.query_params.get("appsecret_proof")
        if (self.rights.signed or proof) and proof != _proof():
            return Refused(400, 100, "Invalid appsecret_proof provided in the API argument")
        return None


def _proof() -> str:
    return hmac.new(APP_SECRET.encode(), ACCESS_TOKEN.encode(), hashlib.sha256).hexdigest()


class Graph:
    """The routes."""

    def __init__(self, store: MetaStore, rights: Rights) -> None:
        self.store, self.rights = store, rights

    def routes(self) -> list[Route]:
        """The paths, under any version that is served."""
        node = "/{version}/{node}"
        return [
            Route("/_inspect/audiences/{node}", self.inspect, methods=["GET"]),
            Route("/_inspect/audiences/{node}", self.force, methods=["POST"]),
            Route("/{version}/act_{account}/customaudiences", self.listed, methods=["GET"]),
            Route("/{version}/act_{account}/customaudiences", self.create, methods=["POST"]),
            Route("/{version}/act_{account}", self.account, methods=["GET"]),
            Route(f"{node}/users", self.users, methods=["POST", "DELETE"]),
            Route(f"{node}/usersreplace", self.replace, methods=["POST"]),
            Route(node, self.read, methods=["GET"]),
            Route(node, self.delete, methods=["DELETE"]),
        ]

    def _allowed(self, request: Request) -> None:
        account = request.path_params.get("account", AD_ACCOUNT)
        if account != AD_ACCOUNT:
            raise rules.unknown(f"act_{account}")
        if not self.rights.permission:
            raise Refused(403, 200, "(#200) Requires ads_management permission to manage the object")

    def _audience(self, request: Request) -> dict[str, Any]:
        self._allowed(request)
        found = self.store.audience(request.path_params["node"])
        if found is None:
            raise rules.unknown(request.path_params["node"])
        return found

    async def account(self, request: Request) -> Response:
        """The ad account."""
        self._allowed(request)
        about = {"id": f"act_{AD_ACCOUNT}", "account_status": self.rights.account_status}
        return JSONResponse(_fields(request, about))

    async def listed(self, request: Request) -> Response:
        """A page of the account's audiences."""
        self._allowed(request)
        after, limit = (int(request.query_params.get(name, default)) for name, default in (("after", 0), ("limit", 25)))
        rows = self.store.audiences(after, limit + 1)
        page: dict[str, Any] = {"data": [_fields(request, self.store.document(row)) for row in rows[:limit]]}
        if page["data"]:
            page["paging"] = {"cursors": {"before": "0", "after": str(rows[:limit][-1]["id"])}}
        if len(rows) > limit:
            page["paging"]["next"] = f"{request.url.include_query_params(after=rows[limit - 1]['id'])}"
        return JSONResponse(page)

    async def create(self, request: Request) -> Response:
        """A new audience of customers."""
        self._allowed(request)
        given = await rules.parameters(request)
        self._terms()
        if not given.get("name") or given.get("subtype") != "CUSTOM":
            raise Refused(400, 100, "(#100) The parameter name and a subtype are required")
        if given.get("customer_file_source") not in rules.SOURCES:
            raise Refused(400, 100, "(#100) Missing parameter(s): customer_file_source")
        if self.store.customer_lists() >= rules.MOST_AUDIENCES:
            raise Refused(400, 100, "Invalid parameter")
        return JSONResponse({"id": str(self.store.make(given["name"], given["customer_file_source"]))})

    def _terms(self) -> None:
        if not self.rights.terms:
            raise Refused(400, 200, "Permissions error", 1870090, error_user_title="Custom Audience Terms Not Accepted")

    async def read(self, request: Request) -> Response:
        """One audience."""
        return JSONResponse(_fields(request, self.store.document(self._audience(request))))

    async def delete(self, request: Request) -> Response:
        """Delete an audience."""
        self.store.delete(self._audience(request)["id"])
        return JSONResponse({"success": True})

    async def users(self, request: Request) -> Response:
        """Add members, or take them away."""
        audience = self._audience(request)
        given = await rules.parameters(request)
        self._terms()
        if audience["status"] == FLAGGED:
            raise rules.flagged()
        if audience["subtype"] != "CUSTOM":
            raise Refused(400, 2650, "Failed to update the custom audience")
        if audience["status"] == REPLACING:
            raise rules.not_replaced(1870145, "Audience Update In Progress")
        change = self.store.remove if request.method == "DELETE" else self.store.add
        return JSONResponse(change(audience["id"], *rules.people(given.get("payload"))))

    async def replace(self, request: Request) -> Response:
        """A batch of a session that replaces all members."""
        audience = self._audience(request)
        given = await rules.parameters(request)
        self._terms()
        if audience["status"] == FLAGGED:
            raise rules.flagged()
        session = given.get("session") or {}
        if not all(isinstance(session.get(name), int) for name in ("session_id", "batch_seq")):
            raise Refused(400, 100, "(#100) Param session must hold session_id and batch_seq")
        return JSONResponse(self.store.replace(audience, session, *rules.people(given.get("payload"))))

    async def inspect(self, request: Request) -> Response:
        """All members of an audience, for tests."""
        return JSONResponse(self.store.members(int(request.path_params["node"])))

    async def force(self, request: Request) -> Response:
        """Put an audience into another state, for tests."""
        self.store.set(int(request.path_params["node"]), **await request.json())
        return JSONResponse({"success": True})


def _fields(request: Request, document: dict[str, Any]) -> dict[str, Any]:
    """The fields that are asked for; the id alone when none is."""
    names = ["id", *request.query_params.get("fields", "").split(",")]
    return {name: document[name] for name in dict.fromkeys(names) if name in document}
