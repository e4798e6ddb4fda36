"""SuiteCRM's V8 interface: OAuth 2 for clients and users, documents of JSON:API; and its elder one beside it.

The contract, with its sources, is in ``docs/contracts/suitecrm.md``.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from snello.sandbox.emulators import suitecrm_rules as rules
from snello.sandbox.emulators.suitecrm_fields import CUSTOM
from snello.sandbox.emulators.suitecrm_legacy import PASSWORD, USER, Legacy
from snello.sandbox.emulators.suitecrm_links import Links
from snello.sandbox.emulators.suitecrm_modules import NEWEST, Modules, Version
from snello.sandbox.emulators.suitecrm_rows import records_of
from snello.sandbox.emulators.suitecrm_store import Record, SuiteStore
from snello.sandbox.emulators.watch import CALM, Watch, Weather

CLIENT_ID = "3d7f3fda-97d8-e2b9-ad2b-89aa5a2fe9b0"
CLIENT_SECRET = "suitecrm-aurora-secret"
LISTS = ("long_absent",)
HOUR = 3600.0


def suitecrm(
    database: Path | str = ":memory:",
    *,
    lists: Sequence[str] = LISTS,
    custom: Mapping[str, str] = CUSTOM,
    lacking: Collection[str] = (),
    version: Version = NEWEST,
    token_life: float = HOUR,
    weather: Weather = CALM,
    home: str = "",
    contacts: int = 0,
    records: Mapping[str, Sequence[Record]] | None = None,
) -> ASGIApp:
    """A SuiteCRM kept in ``database``, with one client and one user for its interfaces.

    - ``contacts``: how many generated ones are there, with what belongs to them
    - ``records``: others that are there, by module, as far as their fields hold anything
    - ``lists``: target lists that are there; ``custom``: the administrator's own fields, with their types
    - ``lacking``: rights that the client's user lacks, as *Contacts/save*: access, view, list, save, delete
    - ``version``: what its filters can do
    - ``token_life``: seconds for which a token holds
    """
    store = SuiteStore(database, lists, custom)
    for module, held in {**records_of(contacts, store.fields), **(records or {})}.items():
        store.fill(module, held)
    modules = Modules(store, lacking, version)
    inside = Inside(store, token_life)
    legacy = Legacy(store, lacking, token_life)
    routes = [*inside.routes(), *modules.routes(), *Links(store, modules).routes(), *legacy.routes()]
    app = Starlette(routes=routes, exception_handlers={rules.Refused: rules.refusal, HTTPException: _no_route})
    return Watch(Gate(app, inside), "suitecrm", store.counts, weather, home)


async def _no_route(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    return PlainTextResponse("Page Not Found" if status == 404 else "Method not allowed", status)


class Inside:
    """Logins, and what somebody inside can see and do."""

    def __init__(self, store: SuiteStore, token_life: float) -> None:
        self.store, self.token_life = store, token_life

    def routes(self) -> list[Route]:
        """Their paths."""
        return [
            Route("/Api/access_token", self.token, methods=["POST"]),
            Route("/_inspect/records/{module}", self.records, methods=["GET"]),
            Route("/_inspect/revoke", self.revoke, methods=["POST"]),
        ]

    async def token(self, request: Request) -> Response:
        """A token for the client or for a user; secrets come as a form or as JSON, never as Basic alone."""
        body = await request.body()
        kind = request.headers.get("content-type", "").partition(";")[0]
        try:
            form = {name: values[-1] for name, values in parse_qs(body.decode()).items()}
            sent = json.loads(body) if kind in rules.BODIES else form
        except ValueError:
            sent = {}
        if sent.get("grant_type") not in ("client_credentials", "password"):
            return rules.no_client(
                "unsupported_grant_type", "The authorization grant type is not supported by the authorization server."
            )
        if (sent.get("client_id"), sent.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return rules.no_client()
        of_user = sent["grant_type"] == "password"
        if of_user and (sent.get("username"), sent.get("password")) != (USER, PASSWORD):
            return rules.no_client("invalid_grant", "The user credentials were incorrect.")
        token = f"eyJ0eXAiOiJKV1QifQ.{secrets.token_hex(24)}"
        self.store.db.execute("INSERT INTO tokens VALUES (?, ?)", (token, time.time() + self.token_life))
        told = {"token_type": "Bearer", "expires_in": int(self.token_life), "access_token": token}
        return JSONResponse(told | ({"refresh_token": secrets.token_hex(32)} if of_user else {}))

    def good(self, token: str) -> bool:
        """Whether a token holds."""
        row = self.store.db.execute("SELECT until FROM tokens WHERE token = ?", (token,)).fetchone()
        return bool(row and row[0] > time.time())

    async def records(self, request: Request) -> Response:
        """All records of a module with the names of their target lists; deleted ones too."""
        module = request.path_params["module"]
        every = [*self.store.find(module), *self.store.find(module, deleted=True)]
        lists = {one["id"]: [it["name"] for it in self.store.linked(one["id"], "ProspectLists")] for one in every}
        return JSONResponse([{**one, "lists": lists[one["id"]]} for one in every])

    async def revoke(self, request: Request) -> Response:
        """No token holds any longer."""
        self.store.db.execute("DELETE FROM tokens")
        return Response(status_code=204)


class Gate:
    """The token, before any route but the login's."""

    def __init__(self, app: ASGIApp, inside: Inside) -> None:
        self.app, self.inside = app, inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        refusal = self._refusal(Request(scope)) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        if not request.url.path.startswith("/Api/V8"):
            return None
        given = request.headers.get("authorization", "")
        if not given.startswith("Bearer "):
            return rules.denied('Missing "Authorization" header')
        return (
            None if self.inside.good(given.removeprefix("Bearer ")) else rules.denied("Access token has been revoked")
        )
