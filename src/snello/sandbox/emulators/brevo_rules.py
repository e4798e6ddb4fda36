"""What Brevo checks before it takes a contact, what it says when it refuses, and how often it may be called."""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MOST_IMPORT_BYTES = 10 * 1024 * 1024
MOST_PER_LIST_CALL = 150
MOST_PER_PAGE = {"contacts": 1000, "lists": 50, "list_contacts": 500, "processes": 50, "blocked": 100}
PER_PAGE = {"contacts": 50, "lists": 10, "list_contacts": 50, "processes": 10, "blocked": 50}
EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
SMS = re.compile(r"(?:\+|00)?[1-9]\d{7,14}")
IDENTIFIERS = {"email_id": "email", "contact_id": "id", "ext_id": "ext_id", "phone_id": "sms"}


class Refused(Exception):
    """An answer in Brevo's error envelope."""

    def __init__(self, status: int, code: str, message: str, duplicates: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.status = status
        self.body: dict[str, Any] = {"code": code, "message": message}
        if duplicates:
            self.body["metadata"] = {"duplicate_identifiers": list(duplicates)}


async def refusal(request: Request, error: Exception) -> Response:
    """Starlette's handler of ``Refused``."""
    assert isinstance(error, Refused)
    return JSONResponse(error.body, error.status)


def invalid(message: str) -> Refused:
    """A parameter that is there and wrong."""
    return Refused(400, "invalid_parameter", message)


def missing(message: str) -> Refused:
    """A parameter that is not there."""
    return Refused(400, "missing_parameter", message)


def unknown(message: str) -> Refused:
    """A thing that does not exist."""
    return Refused(404, "document_not_found", message)


def valid_email(text: object) -> bool:
    """Whether Brevo takes the address."""
    return isinstance(text, str) and len(text) <= 254 and ".." not in text and EMAIL.fullmatch(text) is not None


def normal_sms(text: object) -> str | None:
    """The number with digits alone; null when Brevo would refuse it."""
    plain = str(text).replace(" ", "")
    return plain.removeprefix("+").removeprefix("00") if SMS.fullmatch(plain) else None


async def body_of(request: Request, most: int | None = None) -> dict[str, Any]:
    """The JSON object sent."""
    if most is not None and len(await request.body()) > most:
        raise invalid(f"Maximum allowed body size is {most // 1024 // 1024}MB")
    try:
        document = await request.json()
    except ValueError:
        raise Refused(400, "bad_request", "Input must be a valid JSON object") from None
    if not isinstance(document, dict):
        raise Refused(400, "bad_request", "Input must be a valid JSON object")
    return document


def window(request: Request, what: str) -> tuple[int, int]:
    """Limit and offset of a listing."""
    found = []
    for name, default in (("limit", PER_PAGE[what]), ("offset", 0)):
        text = request.query_params.get(name, str(default))
        if not text.isdigit():
            raise invalid(f"Invalid {name}")
        found.append(int(text))
    if found[0] > MOST_PER_PAGE[what]:
        raise Refused(400, "out_of_range", "Limit exceeds max value")
    return found[0], found[1]


@dataclass
class Quota:
    """Calls allowed in a sliding window of seconds."""

    calls: int
    seconds: float
    taken: deque[float] = field(default_factory=deque)

    def take(self, now: float) -> tuple[bool, dict[str, str]]:
        """Whether one more call is allowed, and the headers that say what is left."""
        while self.taken and self.taken[0] <= now - self.seconds:
            self.taken.popleft()
        allowed = len(self.taken) < self.calls
        if allowed:
            self.taken.append(now)
        reset = max(1, round(self.seconds - (now - self.taken[0]) + 0.5)) if self.taken else 1
        return allowed, {
            "x-sib-ratelimit-limit": str(self.calls),
            "x-sib-ratelimit-remaining": str(self.calls - len(self.taken)),
            "x-sib-ratelimit-reset": str(reset),
        }


@dataclass
class Limits:
    """The general tier: ten calls a second under ``/contacts``, a hundred an hour elsewhere."""

    contacts: Quota = field(default_factory=lambda: Quota(10, 1.0))
    others: Quota = field(default_factory=lambda: Quota(100, 3600.0))

    def take(self, path: str) -> tuple[bool, dict[str, str]]:
        """Count one call to the path."""
        quota = self.contacts if path.startswith("/v3/contacts") else self.others
        return quota.take(time.monotonic())
