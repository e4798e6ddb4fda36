"""A receiver of signed batches: checks the signature, answers a repeated Idempotency-Key as it did the first time."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from snello.sandbox.emulators.watch import CALM, Watch, Weather

SECRET = "aurora-webhook-secret"
TOLERANCE_SECONDS = 300
MOST_BYTES = 5_000_000
Judge = Callable[[Mapping[str, Any]], str | None]
TABLES = """
CREATE TABLE IF NOT EXISTS deliveries
    (id INTEGER PRIMARY KEY, key TEXT UNIQUE, body TEXT, answer TEXT, repeats INTEGER, taken TEXT);
"""


def webhook(
    database: Path | str = ":memory:",
    *,
    secret: str = SECRET,
    refuses: Judge = lambda _: None,
    refusal: Literal["row", "body"] = "row",
    weather: Weather = CALM,
    home: str = "",
) -> ASGIApp:
    """A receiver that takes ``POST`` at any path and keeps what came in ``database``.

    - ``refuses``: the code for which it does not take a row, None for the rows that it takes
    - ``refusal``: whether it refuses such a row alone, or the whole body with 422 for it
    """
    receiver = Receiver(database, secret, refuses, refusal)
    app = Starlette(
        routes=[
            Route("/_inspect/deliveries", receiver.deliveries, methods=["GET"]),
            Route("/_inspect/taken", receiver.taken, methods=["GET"]),
            Route("/{path:path}", receiver.receive, methods=["POST"]),
        ]
    )
    return Watch(app, "webhook", receiver.counts, weather, home)


class Receiver:
    """The bodies received, by Idempotency-Key."""

    def __init__(self, database: Path | str, secret: str, refuses: Judge, refusal: str) -> None:
        self.database = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.database.executescript(TABLES)
        self.secret = secret.encode()
        self.refuses, self.refusal = refuses, refusal

    def counts(self) -> dict[str, Any]:
        """How many bodies came, and how many of them came again."""
        bodies, repeats = self.database.execute("SELECT count(*), coalesce(sum(repeats), 0) FROM deliveries").fetchone()
        return {"bodies": bodies, "repeats": repeats}

    async def deliveries(self, request: Request) -> Response:
        """Everything received, in order."""
        rows = self.database.execute("SELECT key, body, repeats FROM deliveries ORDER BY id").fetchall()
        return JSONResponse([{"key": key, "body": json.loads(body), "repeats": repeats} for key, body, repeats in rows])

    async def taken(self, request: Request) -> Response:
        """Every row that was not refused, in order, once however often its body came."""
        bodies = self.database.execute("SELECT taken FROM deliveries ORDER BY id").fetchall()
        return JSONResponse([row for (taken,) in bodies for row in json.loads(taken)])

    async def receive(self, request: Request) -> Response:
        """Check, remember, acknowledge."""
        body = await request.body()
        if len(body) > MOST_BYTES:
            return _refusal(413, "too_large", f"a body may have {MOST_BYTES} bytes")
        if problem := self._forged(request.headers.get("snello-signature", ""), body):
            return _refusal(401, "bad_signature", problem)
        key = request.headers.get("idempotency-key")
        if not key:
            return _refusal(400, "no_idempotency_key", "the header Idempotency-Key is missing")
        known = self.database.execute("SELECT body, answer FROM deliveries WHERE key = ?", (key,)).fetchone()
        if known:
            return self._again(key, body.decode(), known)
        try:
            document = json.loads(body)
        except ValueError:
            return _refusal(400, "not_json", "the body is not JSON")
        refused = {row["key"]: code for row in _changes(document) if (code := self.refuses(row))}
        if refused and self.refusal == "body":
            return _refusal(422, next(iter(refused.values())), "a row of the body is not taken")
        taken = [row for row in _changes(document) if row["key"] not in refused]
        said: dict[str, Any] = {"status": "accepted", "rows": _rows(document)}
        if refused:
            said["results"] = [{"key": key, "status": "refused", "code": code} for key, code in refused.items()]
            said["results"] += [{"key": row["key"], "status": "delivered"} for row in taken]
        answer = json.dumps(said)
        self.database.execute(
            "INSERT INTO deliveries (key, body, answer, repeats, taken) VALUES (?, ?, ?, 0, ?)",
            (key, body.decode(), answer, json.dumps(taken)),
        )
        return Response(answer, 200, media_type="application/json")

    def _again(self, key: str, body: str, known: tuple[str, str]) -> Response:
        if known[0] != body:
            return _refusal(422, "key_reused", "this Idempotency-Key came with another body")
        self.database.execute("UPDATE deliveries SET repeats = repeats + 1 WHERE key = ?", (key,))
        return Response(known[1], 200, {"Idempotency-Replayed": "true"}, "application/json")

    def _forged(self, header: str, body: bytes) -> str:
        """What is wrong with the signature; empty when it is right."""
        parts = dict(part.partition("=")[::2] for part in header.split(","))
        if not parts.get("t", "").isdigit() or "v1" not in parts:
            return "Snello-Signature must read t=<unix>,v1=<hex>"
        if abs(time.time() - int(parts["t"])) > TOLERANCE_SECONDS:
            return f"the signature is older than {TOLERANCE_SECONDS} seconds"
        expected = hmac.new(self.secret, f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
        return "" if hmac.compare_digest(expected, parts["v1"]) else "the signature does not match the body"


def _changes(document: Any) -> list[dict[str, Any]]:
    """The changes of a sync; none in a body of another shape."""
    changes = document.get("changes") if isinstance(document, dict) else None
    return [row for row in changes or [] if isinstance(row, dict) and "key" in row]


def _rows(document: Any) -> int:
    """Rows in a body: the longest list in it."""
    lists = (
        [document] if isinstance(document, list) else [value for value in document.values() if isinstance(value, list)]
    )
    return max((len(rows) for rows in lists), default=0)


def _refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status)
