"""An endpoint for CloudEvents over HTTP: it takes what the specification allows, and each event once.

Events are checked by the official SDK, which no line of the connector's own check can talk round.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.exceptions import BaseCloudEventException, CloudEventValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from snello.sandbox.emulators.watch import CALM, Watch, Weather

TOKEN = "aurora-events-token"
MODES = frozenset({"binary", "structured", "batched"})
BATCH = "application/cloudevents-batch+json"
ONE = "application/cloudevents"
LARGEST = 64_000  # bytes of an event that every intermediary forwards
Judge = Callable[[Mapping[str, Any]], str | None]
TABLES = """
CREATE TABLE IF NOT EXISTS events
    (number INTEGER PRIMARY KEY, source TEXT, id TEXT, event TEXT, mode TEXT, repeats INTEGER, UNIQUE (source, id));
"""


def events(
    database: Path | str = ":memory:",
    *,
    token: str = TOKEN,
    modes: frozenset[str] = MODES,
    refuses: Judge = lambda _: None,
    most: int = 1_000,
    weather: Weather = CALM,
    home: str = "",
) -> ASGIApp:
    """An endpoint that takes ``POST`` at any path and keeps what came in ``database``.

    - ``modes``: those that it understands; others get 415
    - ``refuses``: the code for which it does not take an event with such data; a body with one is refused whole
    - ``most``: events in a batch
    """
    endpoint = Endpoint(database, token, modes, refuses, most)
    routes = [
        Route("/_inspect/events", endpoint.kept, methods=["GET"]),
        Route("/{path:path}", endpoint.receive, methods=["POST"]),
    ]
    return Watch(Starlette(routes=routes), "events", endpoint.counts, weather, home)


class Endpoint:
    """The events received, by source and id."""

    def __init__(self, database: Path | str, token: str, modes: frozenset[str], refuses: Judge, most: int) -> None:
        self.database = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.database.executescript(TABLES)
        self.token, self.modes, self.refuses, self.most = token, modes, refuses, most

    def counts(self) -> dict[str, Any]:
        """How many events came, and how often one came again."""
        told, repeats = self.database.execute("SELECT count(*), coalesce(sum(repeats), 0) FROM events").fetchone()
        return {"events": told, "repeats": repeats}

    async def kept(self, request: Request) -> Response:
        """Every event, in order, once however often it came."""
        rows = self.database.execute("SELECT event, mode, repeats FROM events ORDER BY number").fetchall()
        return JSONResponse(
            [{**json.loads(event), "_mode": mode, "_repeats": repeats} for event, mode, repeats in rows]
        )

    async def receive(self, request: Request) -> Response:
        """Check, remember, acknowledge."""
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _refusal(401, "unauthorized", "the token is not known")
        kind = request.headers.get("content-type", "")
        mode = "batched" if kind.startswith(BATCH) else "structured" if kind.startswith(ONE) else "binary"
        if mode not in self.modes:
            return _refusal(415, "unsupported_mode", f"events in mode {mode} are not taken here")
        body = await request.body()
        try:
            found = _batch(body) if mode == "batched" else [_read(dict(request.headers), body)]
        except (BaseCloudEventException, CloudEventValidationError, ValueError, KeyError, TypeError, AttributeError):
            return _refusal(400, "no_cloudevent", "the body is no event of version 1.0")
        if len(found) > self.most:
            return _refusal(413, "too_large", f"a batch may have {self.most} events")
        for event in found:
            if len(json.dumps(event)) > LARGEST:
                return _refusal(413, "too_large", f"an event may have {LARGEST} bytes")
            if code := self.refuses(event.get("data") or {}):
                return _refusal(422, code, "an event of the body is not taken")
        for event in found:
            self._keep(event, mode)
        return Response(status_code=202)

    def _keep(self, event: Mapping[str, Any], mode: str) -> None:
        self.database.execute(
            "INSERT INTO events (source, id, event, mode, repeats) VALUES (?, ?, ?, ?, 0) "
            "ON CONFLICT (source, id) DO UPDATE SET repeats = repeats + 1",
            (event["source"], event["id"], json.dumps(event), mode),
        )


def _batch(body: bytes) -> list[dict[str, Any]]:
    return [_read({"content-type": f"{ONE}+json"}, json.dumps(each).encode()) for each in json.loads(body)]


def _read(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """An event as the SDK reads it. Raises its errors for one that is against the specification."""
    whole = headers.get("content-type", "").startswith(ONE)
    given = json.loads(body) if whole else {name.removeprefix("ce-"): text for name, text in headers.items()}
    if not given.get("id") or given.get("specversion") != "1.0":  # the SDK would make up what is lacking
        raise ValueError("no id, or another version")
    event: BaseCloudEvent = from_http_event(HTTPMessage(headers, body))
    attributes = event.get_attributes()
    told = {name: value if isinstance(value, str) else value.isoformat() for name, value in attributes.items()}
    return {**told, "data": event.get_data()}


def _refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status)
