"""Odoo as it is called from outside: /jsonrpc up to version 18, /json/2 from 19 on.

The contract, with its sources, is in ``docs/contracts/odoo.md``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from snello.sandbox.emulators import odoo_rules as rules
from snello.sandbox.emulators.odoo_models import OF_MODEL, PARAMETERS, Models
from snello.sandbox.emulators.odoo_store import OdooStore
from snello.sandbox.emulators.odoo_trade import MODELS as TRADE
from snello.sandbox.emulators.odoo_trade import company
from snello.sandbox.emulators.watch import CALM, Watch, Weather

DATABASE, LOGIN, API_KEY, USER = "aurora", "hub@aurora.example", "odoo-aurora-key", 2
TAGS = ("long_absent",)
SEEDED = "2026-09-30 08:00:00.250000"
NEWEST_RPC, NEWEST = 18, 19
WRITING = frozenset({"create", "write", "unlink", "load"})


def odoo(
    database: Path | str = ":memory:",
    *,
    version: int = NEWEST,
    tags: Iterable[str] = TAGS,
    denied: Iterable[tuple[str, str]] = (),
    absent: Iterable[str] = (),
    busy: int = 0,
    partners: int = 0,
    weather: Weather = CALM,
    home: str = "",
) -> ASGIApp:
    """An Odoo database kept in ``database``.

    - ``version``: 18 knows /jsonrpc alone; 19 /json/2 too
    - ``tags``: of partners, that exist from the start
    - ``denied``: rights that the user lacks, as pairs of model and right: read, write, create, unlink
    - ``absent``: models whose module is not installed; ``busy``: so many writes meet another transaction
    - ``partners``: with any, the modules for sales, invoices and leads are installed, and so many have bought
    """
    store = OdooStore(database)
    missing = frozenset(absent) | (frozenset() if partners else frozenset(TRADE))
    server = Server(store, Models(store, frozenset(denied), missing), version, busy)
    server.seed(tags, partners)
    return Watch(Starlette(routes=server.routes()), "odoo", server.counts, weather, home)


class Server:
    """The two ways in, one behaviour."""

    def __init__(self, store: OdooStore, models: Models, version: int, busy: int) -> None:
        self.store, self.models, self.version, self.busy = store, models, version, busy

    def routes(self) -> list[Route]:
        """The paths."""
        every = ["GET", "POST"]
        return [
            Route("/web/version", self.about, methods=["GET"]),
            Route("/jsonrpc", self.jsonrpc, methods=["POST"]),
            Route("/json/2/{model}/{method}", self.json2, methods=["POST"]),
            Route("/doc-bearer/{model}.json", self.described, methods=["GET"]),
            Route("/_inspect/records/{model}", self.inspect, methods=every),
            Route("/_inspect/call/{model}/{method}", self.inside, methods=["POST"]),
        ]

    def seed(self, tags: Iterable[str], partners: int) -> None:
        """Tags that are there from the start, and a company's past, all of one transaction."""
        held = {row["name"] for row in self.store.rows["res.partner.category"].values()}
        with self.store.transaction():
            for name in tags:
                if name not in held:
                    Models(self.store, frozenset(), frozenset()).create("res.partner.category", {"name": name})
        if partners and not self.store.rows["res.company"]:
            models = Models(self.store, frozenset(), frozenset())
            with self.store.transaction(SEEDED):
                company(models.made, partners)

    # ---- /jsonrpc

    async def jsonrpc(self, request: Request) -> Response:
        """A call under login and password; a fault comes with status 200."""
        given = json.loads(await request.body())
        envelope = {"jsonrpc": "2.0", "id": given.get("id")}
        params = given.get("params") or {}
        try:
            result = self._service(params.get("service"), params.get("method"), list(params.get("args") or []))
        except rules.Fault as fault:
            error = {"code": 200, "message": "Odoo Server Error", "data": fault.document()}
            return JSONResponse({**envelope, "error": error})
        return JSONResponse({**envelope, "result": result})

    def _service(self, service: Any, method: Any, args: list[Any]) -> Any:
        if (service, method) == ("common", "version"):
            return self._version()
        if service == "common" and method in ("login", "authenticate"):
            database, login, key = args[:3]
            self._known(database)
            return USER if (login, key) == (LOGIN, API_KEY) else False
        if (service, method) != ("object", "execute_kw"):
            raise rules.Fault("builtins.KeyError", f"{service!r}", 500)
        database, user, key, model, name, *rest = args
        self._known(database)
        if (user, key) != (USER, API_KEY):
            raise rules.Fault("odoo.exceptions.AccessDenied", "Access Denied", 403)
        if name == "create" and not (
            rest and rest[0]
        ):  # it is asked whether the first argument is one record or a list
            raise rules.Fault("builtins.IndexError", "list index out of range", 500)
        return self._called(model, name, list(rest[0]), rest[1] if len(rest) > 1 else {})

    def _known(self, database: str) -> None:
        if database != DATABASE:
            text = f'connection to server failed: FATAL:  database "{database}" does not exist\n'
            raise rules.Fault("psycopg2.OperationalError", text, 500)

    # ---- /json/2

    async def json2(self, request: Request) -> Response:
        """A call under an API key, with named arguments; a fault has a status."""
        try:
            return JSONResponse(self._json2(request, await request.body()))
        except rules.Fault as fault:
            return JSONResponse(fault.document(), fault.status)

    def _json2(self, request: Request, body: bytes) -> Any:
        model, method = request.path_params["model"], request.path_params["method"]
        if self.version < NEWEST:
            raise rules.Fault("werkzeug.exceptions.NotFound", "404: Not Found", 404)
        self._admit(request)
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            raise rules.Fault("werkzeug.exceptions.UnsupportedMediaType", "Request inferred type is not json2", 415)
        if not self.models.known(model):
            raise rules.Fault("werkzeug.exceptions.NotFound", f"the model {model!r} does not exist", 404)
        named = json.loads(body)
        ids = named.pop("ids", [])
        if method in OF_MODEL and ids:
            text = f"cannot call {model}.{method} with ids"
            raise rules.Fault("werkzeug.exceptions.UnprocessableEntity", text, 422)
        found = self._called(model, method, [] if method in OF_MODEL else [ids], named)
        return [found] if method == "create" and isinstance(found, int) else found

    def _admit(self, request: Request) -> None:
        """The key and the database of a call."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or key != API_KEY:
            raise rules.Fault("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401)
        if request.headers.get("x-odoo-database", DATABASE) != DATABASE:
            raise rules.Fault("werkzeug.exceptions.NotFound", "404: Not Found", 404)

    def _called(self, model: str, method: str, args: list[Any], named: dict[str, Any]) -> Any:
        found = self.models.method(model, method)
        if method in WRITING and self.busy:
            self.busy -= 1
            raise rules.busy()
        with self.store.transaction():
            return found(*args, **named)

    # ---- what people and tests look at

    def _version(self) -> dict[str, Any]:
        about = [self.version, 0, 0, "final", 0, ""]
        return {"server_version": f"{self.version}.0", "server_version_info": about, "protocol_version": 1}

    async def about(self, request: Request) -> Response:
        """Which version it is; from 19 on."""
        if self.version < NEWEST:
            return Response("<h1>Not Found</h1>", 404, media_type="text/html")
        return JSONResponse({"version": f"{self.version}.0", "version_info": self._version()["server_version_info"]})

    async def described(self, request: Request) -> Response:
        """The methods of a model with their parameters, by which clients name positional arguments."""
        self._admit(request)
        methods = {
            name: {"parameters": {key: {} for key in named}, "api": ["model"] if name in OF_MODEL else []}
            for name, named in PARAMETERS.items()
        }
        return JSONResponse({"methods": methods})

    async def inspect(self, request: Request) -> Response:
        """All records of a model."""
        return JSONResponse(list(self.store.rows[request.path_params["model"]].values()))

    async def inside(self, request: Request) -> Response:
        """A call by somebody who works in Odoo, with every right; ``at``: when its transaction began."""
        models = Models(self.store, frozenset(), frozenset())
        with self.store.transaction(request.query_params.get("at")):
            found = models.method(request.path_params["model"], request.path_params["method"])
            return JSONResponse(found(*json.loads(await request.body())))

    def counts(self) -> dict[str, Any]:
        """What tests look at."""
        partners = self.store.rows["res.partner"].values()
        names = {tag["id"]: tag["name"] for tag in self.store.rows["res.partner.category"].values()}
        tagged = {name: sum(1 for row in partners if tag in row["category_id"]) for tag, name in names.items()}
        blocked = sum(1 for row in self.store.rows["mail.blacklist"].values() if row["active"])
        return {"partners": len(partners), "tags": tagged, "blacklist": blocked}
