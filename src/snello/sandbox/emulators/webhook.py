"""A receiver of signed bodies: checks the signature, answers a repeated Idempotency-Key as it did the first time."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from snello.sandbox.emulators.watch import CALM, Watch, Weather

SECRET = "aurora-webhook-secret"
STANDARD_SECRET = "whsec_YXVyb3JhLXdlYmhvb2stc2VjcmV0LW9mLTMyYnl0ZXM="
WHSEC = "whsec_"
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
    previous: str = "",
    weather: Weather = CALM,
    home: str = "",
) -> ASGIApp:
    """A receiver that takes ``POST``, ``PUT`` and ``PATCH`` at any path and keeps what came in ``database``.

    - ``secret``: one that begins with ``whsec_`` makes it ask for signatures of Standard Webhooks
    - ``previous``: a secret that it takes too, while senders change from one to the other
    - ``refuses``: the code for which it does not take a row, None for the rows that it takes
    - ``refusal``: whether it refuses such a row alone, or the whole body with 422 for it
    """
    receiver = Receiver(database, (secret, *([previous] if previous else ())), refuses, refusal)
    app = Starlette(
        routes=[
            Route("/_inspect/deliveries", receiver.deliveries, methods=["GET"]),
            Route("/_inspect/taken", receiver.taken, methods=["GET"]),
            Route("/{path:path}", receiver.receive, methods=["POST", "PUT", "PATCH"]),
        ]
    )
    return Watch(app, "webhook", receiver.counts, weather, home)


class Receiver:
    """The bodies received, by Idempotency-Key."""

    def __init__(self, database: Path | str, secrets: Sequence[str], refuses: Judge, refusal: str) -> None:
        self.database = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.database.executescript(TABLES)
        self.secrets = secrets
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
        if problem := self._forged(request.headers, body):
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

    def _forged(self, headers: Mapping[str, str], body: bytes) -> str:
        """What is wrong with the signature; empty when it is right under one of the secrets."""
        standard = self.secrets[0].startswith(WHSEC)
        moment, given, wanted = _standard(headers) if standard else _own(headers)
        if not moment.isdigit() or not given:
            return wanted
        if abs(time.time() - int(moment)) > TOLERANCE_SECONDS:
            return f"the signature is older than {TOLERANCE_SECONDS} seconds"
        content = f"{moment}.".encode() + body
        if standard:
            content = f"{headers.get('webhook-id', '')}.".encode() + content
        expected = [_digest(secret, content) for secret in self.secrets]
        good = any(hmac.compare_digest(each, one) for each in expected for one in given)
        return "" if good else "the signature does not match the body"


def _own(headers: Mapping[str, str]) -> tuple[str, list[str], str]:
    """Moment, signatures, and how they have to be given."""
    parts = [part.partition("=")[::2] for part in headers.get("snello-signature", "").split(",")]
    moment = next((value for name, value in parts if name == "t"), "")
    return moment, [value for name, value in parts if name == "v1"], "Snello-Signature must read t=<unix>,v1=<hex>"


def _standard(headers: Mapping[str, str]) -> tuple[str, list[str], str]:
    """The same, of Standard Webhooks."""
    parts = [part.partition(",")[::2] for part in headers.get("webhook-signature", "").split()]
    wanted = "webhook-id, webhook-timestamp and webhook-signature are needed"
    given = [value for version, value in parts if version == "v1"] if headers.get("webhook-id") else []
    return headers.get("webhook-timestamp", ""), given, wanted


def _digest(secret: str, content: bytes) -> str:
    if secret.startswith(WHSEC):
        key = b64decode(secret.removeprefix(WHSEC))
        return b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def _changes(document: Any) -> list[dict[str, Any]]:
    """The changes of a sync, or the one of a call a row; none in a body of another shape."""
    if not isinstance(document, dict):
        return []
    changes = [document["change"]] if "change" in document else document.get("changes")
    return [row for row in changes or [] if isinstance(row, dict) and "key" in row]


def _rows(document: Any) -> int:
    """Rows in a body: the longest list in it."""
    lists = (
        [document] if isinstance(document, list) else [value for value in document.values() if isinstance(value, list)]
    )
    return max((len(rows) for rows in lists), default=0)


def _refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status)
