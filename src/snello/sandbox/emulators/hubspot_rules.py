"""What HubSpot refuses and how it says so: envelopes, scopes, values of properties, and how often it may be called."""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MOST_INPUTS, MOST_ASSOCIATIONS, MOST_MEMBERSHIPS, MOST_UNIQUE = 100, 2_000, 100_000, 10
EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
PROPERTY = re.compile(r"[a-z][a-z0-9_]{0,99}")
FIELD_TYPES = {
    "string": ("text", "textarea", "phonenumber", "html", "file"),
    "number": ("number",),
    "date": ("date",),
    "datetime": ("date",),
    "bool": ("booleancheckbox", "calculation_equation"),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox"),
}
STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist")
SCOPES = frozenset(
    f"crm.{what}.{right}"
    for what in ("objects.contacts", "objects.companies", "schemas.contacts", "lists")
    for right in ("read", "write")
)
NO_SCOPE = (
    "This app hasn't been granted all required scopes to make this call. "
    "Read more about required scopes here: https://developers.hubspot.com/scopes."
)


class Refused(Exception):
    """An answer in HubSpot's error envelope; of a batch, what is the matter with one of its rows."""

    def __init__(
        self, status: int, category: str, message: str, *, context: Mapping[str, Any] | None = None, code: str = ""
    ) -> None:
        super().__init__(category)
        self.status, self.category, self.message, self.code = status, category, message, code
        self.context = dict(context or {})

    def body(self, **more: Any) -> dict[str, Any]:
        """The envelope."""
        found = {"status": "error", "message": self.message, "correlationId": "c033cdaa", "category": self.category}
        return found | ({"context": self.context} if self.context else {}) | more

    def row(self, trace: str | None) -> dict[str, Any]:
        """The same among the errors of a 207, for the row that bore the trace id."""
        context = self.context | ({"objectWriteTraceId": [trace]} if trace else {})
        detail = [{"message": self.message, "code": self.code}] if self.code else []
        named = {"status": "error", "category": self.category, "message": self.message}
        return named | {"context": context, "errors": detail, "links": {}}


async def refusal(request: Request, error: Exception) -> Response:
    """Starlette's handler of ``Refused``."""
    assert isinstance(error, Refused)
    return JSONResponse(error.body(), error.status)


def invalid(message: str) -> Refused:
    """A request that is not as it should be."""
    return Refused(400, "VALIDATION_ERROR", message)


def unfit(name: str, code: str, message: str) -> Refused:
    """A value that a property does not take."""
    told = [{"isValid": False, "message": message, "error": code, "name": name}]
    return Refused(400, "VALIDATION_ERROR", f"Property values were not valid: {json.dumps(told)}", code=code)


def unknown(what: str) -> Refused:
    """A thing that does not exist."""
    return Refused(404, "OBJECT_NOT_FOUND", what)


def missing(ids: Iterable[str]) -> dict[str, Any]:
    """The error of a 207 for records that do not exist."""
    message = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    return Refused(207, "OBJECT_NOT_FOUND", message, context={"ids": sorted(ids)}).row(None)


async def body_of(request: Request, kind: type = dict) -> Any:
    """The JSON sent, an object unless ``kind`` says otherwise."""
    try:
        document = await request.json()
    except ValueError:
        raise invalid("Invalid input JSON on line 1, column 1") from None
    if not isinstance(document, kind):
        raise invalid("Invalid input JSON on line 1, column 1")
    return document


def inputs_of(body: Mapping[str, Any], most: int = MOST_INPUTS) -> list[dict[str, Any]]:
    """The inputs of a batch."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs or not all(isinstance(one, dict) for one in inputs):
        raise invalid("Invalid input JSON: Some required fields were not set: [inputs]")
    if len(inputs) > most:
        raise invalid(f"The maximum number of inputs supported in a batch request is {most}; got {len(inputs)}")
    return inputs


def distinct(ids: Sequence[str]) -> None:
    """Refuse a batch that names a record twice."""
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise invalid(f"Duplicate IDs found in batch input: {twice}. IDs must be unique")


def fit(kind: Mapping[str, Any], value: Any) -> str:
    """A value as the property keeps it; empty clears it."""
    name, text = kind["name"], "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, dict | list):
        raise invalid(f"Cannot deserialize value of type `java.lang.String` of property {name}")
    if kind.get("modificationMetadata", {}).get("readOnlyValue"):
        raise unfit(name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
    if not text:
        return ""
    if name == "email":
        if not EMAIL.fullmatch(text) or ".." in text or len(text) > 254:
            raise unfit(name, "INVALID_EMAIL", f"Email address {text} is invalid")
        return text.lower()
    if kind["options"] and any(one not in [option["value"] for option in kind["options"]] for one in text.split(";")):
        raise unfit(name, "INVALID_OPTION", f"{text} was not one of the allowed options")
    if not _typed(kind["type"], text):
        raise unfit(name, "INVALID_DATE" if "date" in kind["type"] else "INVALID_LONG", f"{text} was not valid")
    return text


def _typed(kind: str, text: str) -> bool:
    try:
        match kind:
            case "number":
                float(text)
            case "date":
                date.fromisoformat(text)
            case "datetime":
                datetime.fromisoformat(text)
    except ValueError:
        return text.isdigit() and "date" in kind  # milliseconds since the epoch
    return True


def scope_of(method: str, path: str) -> str:
    """The scope that a call needs."""
    reads = method == "GET" or path.endswith(("/batch/read", "/search"))
    match path.split("/")[3]:
        case "lists":
            what = "lists"
        case "properties":
            what = "schemas.contacts"
        case _:
            what = "objects.companies" if "/objects/companies" in path else "objects.contacts"
    return f"crm.{what}.{'read' if reads else 'write'}"


@dataclass
class Limits:
    """What a private app may call: 100 requests in ten seconds, 250,000 a day."""

    burst: int = 100
    daily: int = 250_000
    interval: float = 10.0
    calls: int = 0
    recent: deque[float] = field(default_factory=deque)

    def take(self) -> tuple[Response | None, dict[str, str]]:
        """The refusal of one call more, if it is one too many, and the headers of its answer."""
        now = time.monotonic()
        while self.recent and self.recent[0] <= now - self.interval:
            self.recent.popleft()
        policy = "DAILY" if self.calls >= self.daily else "TEN_SECONDLY_ROLLING"
        over = self.calls >= self.daily or len(self.recent) >= self.burst
        if not over:
            self.calls += 1
            self.recent.append(now)
        return (_over(policy) if over else None), {
            "X-HubSpot-RateLimit-Daily": str(self.daily),
            "X-HubSpot-RateLimit-Daily-Remaining": str(self.daily - self.calls),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(round(self.interval * 1000)),
            "X-HubSpot-RateLimit-Max": str(self.burst),
            "X-HubSpot-RateLimit-Remaining": str(self.burst - len(self.recent)),
        }


def _over(policy: str) -> Response:
    said = "daily" if policy == "DAILY" else "ten_secondly_rolling"
    told = {"status": "error", "message": f"You have reached your {said} limit.", "errorType": "RATE_LIMIT"}
    return JSONResponse(told | {"correlationId": "c033cdaa", "policyName": policy, "category": "RATE_LIMITS"}, 429)
