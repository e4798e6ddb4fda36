"""What Meta's Graph API checks of a call, what it says when it refuses, and how often it may be called."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MOST_ROWS = 10_000
MOST_AUDIENCES = 500
HASHED = ("EMAIL", "PHONE", "GEN", "DOBY", "DOBM", "DOBD", "LN", "FN", "FI", "CT", "ST", "ZIP", "COUNTRY")
CLEAR = ("EXTERN_ID", "MADID")
SINGLE = {"EMAIL_SHA256": "EMAIL", "PHONE_SHA256": "PHONE", "MOBILE_ADVERTISER_ID": "MADID"}
DIGEST = re.compile(r"[0-9a-f]{64}")
DEVICE = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
SOURCES = ("USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED")


class Refused(Exception):
    """An answer in the Graph API's error envelope."""

    def __init__(self, status: int, code: int, message: str, sub: int = 0, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        error: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, **more}
        if sub:
            error["error_subcode"] = sub
        self.body = {"error": {**error, "fbtrace_id": "AbCdEf"}}


async def refusal(request: Request, error: Exception) -> Response:
    """Starlette's handler of ``Refused``."""
    assert isinstance(error, Refused)
    return JSONResponse(error.body, error.status)


def unknown(number: str) -> Refused:
    """A thing that does not exist, or may not be seen; Meta does not tell which."""
    message = (
        f"Unsupported request. Object with ID '{number}' does not exist, cannot be loaded due to missing permissions"
    )
    return Refused(400, 100, message, 33)


def mismatch() -> Refused:
    """Rows that do not fit the schema."""
    return Refused(400, 100, "(#100) Data is missing or does not match schema")


def flagged() -> Refused:
    """An audience whose members are frozen."""
    title = "Audience Upload Blocked"
    return Refused(400, 100, "Invalid parameter", 1713230, error_user_title=title)


def not_replaced(sub: int, title: str) -> Refused:
    """A session that is refused."""
    return Refused(400, 2650, "Failed to update the custom audience", sub, error_user_title=title)


async def parameters(request: Request) -> dict[str, Any]:
    """All parameters of a call: of its query, and of its body as a form or as JSON; JSON in a text is read."""
    found: dict[str, Any] = dict(request.query_params)
    body = await request.body()
    if body and request.headers.get("content-type", "").startswith("application/json"):
        try:
            found |= json.loads(body)
        except (ValueError, TypeError):
            raise Refused(400, 100, "Invalid JSON") from None
    elif body:
        found |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    for name in ("payload", "session"):
        if isinstance(found.get(name), str):
            try:
                found[name] = json.loads(found[name])
            except ValueError:
                raise Refused(400, 100, f"(#100) Param {name} must be an object") from None
    return found


def people(payload: object) -> tuple[list[str], list[Sequence[str]]]:
    """Fields and rows of a payload."""
    if not isinstance(payload, dict) or not payload.get("data"):
        raise mismatch()
    schema, data = payload.get("schema"), payload["data"]
    if isinstance(schema, str):
        schema, data = [SINGLE.get(schema, schema)], [row if isinstance(row, list) else [row] for row in data]
    if not isinstance(schema, list) or not set(schema) <= {*HASHED, *CLEAR}:
        raise mismatch()
    if len(data) > MOST_ROWS:
        raise Refused(400, 100, f"(#100) Param data has {len(data)} elements, at most {MOST_ROWS} are allowed")
    if not all(isinstance(row, list) and len(row) == len(schema) for row in data):
        raise mismatch()
    return schema, data


def read(schema: Sequence[str], row: Sequence[str]) -> dict[str, str] | None:
    """A row by its fields, without blanks; None when a value cannot be what it should be."""
    fields = {name: value for name, value in zip(schema, row, strict=True) if value != ""}
    for name, value in fields.items():
        form = DIGEST if name in HASHED else DEVICE if name == "MADID" else None
        if not isinstance(value, str) or (form and not form.fullmatch(value)):
            return None
    return fields or None


@dataclass
class Limits:
    """The standard tier: a score of 9,000 that fades in 300 seconds; a call that reads counts 1, one that writes 3.

    - ``blocked``: seconds for which nobody is let in once the score is reached
    - ``an_hour``: calls to audiences in an hour, told in minutes
    """

    score: float = 9_000
    fades: float = 300.0
    blocked: float = 60.0
    an_hour: int = 190_000

    def __post_init__(self) -> None:
        self.held, self.seen, self.until = 0.0, time.monotonic(), 0.0
        self.hour, self.calls = time.monotonic(), 0

    def take(self, method: str) -> tuple[Refused | None, Mapping[str, str]]:
        """Count one call: a refusal when it is one too many, and the headers that tell of the limits."""
        now = time.monotonic()
        self.held = max(0.0, self.held - (now - self.seen) * self.score / self.fades)
        self.seen = now
        if now - self.hour >= 3600:
            self.hour, self.calls = now, 0
        self.calls += 1
        if now >= self.until:
            self.held += 1 if method == "GET" else 3
            if self.held > self.score:
                self.until = now + self.blocked
        left = max(0.0, self.until - now)
        minutes = max(1, round((3600 - (now - self.hour)) / 60)) if self.calls > self.an_hour else 0
        refused = None
        if left:
            refused = Refused(400, 17, "User request limit reached", 2446079, is_transient=True)
        elif minutes:
            refused = Refused(400, 80003, "There have been too many calls to this ad-account.", 2446149)
        return refused, self._headers(left, minutes)

    def _headers(self, left: float, minutes: int) -> Mapping[str, str]:
        share = min(100, round(100 * self.held / self.score)) if self.score else 100
        account = {"acc_id_util_pct": share, "reset_time_duration": round(left + 0.5) if left else 0}
        case = {"type": "custom_audience", "call_count": min(100, round(100 * self.calls / max(1, self.an_hour)))}
        case |= {"total_cputime": 1, "total_time": 1, "estimated_time_to_regain_access": minutes}
        app = {"call_count": 1, "total_time": 1, "total_cputime": 1}
        return {
            "X-App-Usage": json.dumps(app),
            "X-Ad-Account-Usage": json.dumps(account | {"ads_api_access_tier": "standard_access"}),
            "X-Business-Use-Case-Usage": json.dumps({"1": [case]}),
        }
