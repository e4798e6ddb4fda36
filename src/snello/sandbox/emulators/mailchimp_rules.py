"""What Mailchimp checks before it takes a contact, and what it says when it refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MOST_MEMBERS = 500
MOST_PER_PAGE, PER_PAGE = 1_000, 10
MOST_AT_ONCE = 10
MOST_TEXT = 255
ERRORS = "https://mailchimp.com/developer/marketing/docs/errors/"
EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
FAKE = ("@example.com", "@example.net", "@yopmail.com", ".tst")
ROLES = ("abuse", "postmaster", "noreply", "spam")
STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
KINDS = ("text", "number", "address", "phone", "date", "url", "imageurl", "radio", "dropdown", "birthday", "zip")
SHAPES = {
    "birthday": re.compile(r"(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01])"),
    "number": re.compile(r"-?\d+(\.\d+)?"),
    "url": re.compile(r"https?://\S+"),
    "imageurl": re.compile(r"https?://\S+"),
    "zip": re.compile(r"\d{5}"),
}


@dataclass(frozen=True)
class Account:
    """What kind of account it is: the switches of the stand-in.

    - ``most_contacts``: of its plan, unsubscribed ones included; None: as many as there are
    - ``disabled``: the key's user was disabled; ``status_needed``: whether a batch takes rows without a status
    - ``at_once``: calls that may be under way
    """

    most_contacts: int | None = None
    disabled: bool = False
    status_needed: bool = False
    at_once: int = MOST_AT_ONCE


class Problem(Exception):
    """A whole call that is refused, as a problem document."""

    def __init__(self, status: int, title: str, detail: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.body: dict[str, Any] = {"type": ERRORS, "title": title, "status": status, "detail": detail, "instance": ""}
        if errors:
            self.body["errors"] = errors

    def response(self) -> Response:
        """The answer."""
        return JSONResponse(self.body, self.status, media_type="application/problem+json")


class RowRefused(Exception):
    """One contact of a batch that is refused; in a call about one contact, the call."""

    def __init__(self, error: str, *, code: str = "ERROR_GENERIC", title: str = "Invalid Resource") -> None:
        super().__init__(code)
        self.error, self.code, self.title, self.field, self.field_message = error, code, title, "", ""

    def about(self, field: str, message: str) -> RowRefused:
        """The same, with the field at issue."""
        self.field, self.field_message = field, message
        return self

    def entry(self, email: str) -> dict[str, str]:
        """As a batch tells it."""
        about = {"field": self.field, "field_message": self.field_message}
        return {"email_address": email, "error": self.error, "error_code": self.code, **about}

    def problem(self) -> Problem:
        """As a call about one contact tells it."""
        errors = [{"field": self.field, "message": self.field_message}] if self.field else None
        return Problem(400, self.title, self.error, errors)


async def refusal(request: Request, error: Exception) -> Response:
    """Starlette's handler of both."""
    return (error.problem() if isinstance(error, RowRefused) else error).response()  # type: ignore[attr-defined,no-any-return]


def not_found() -> Problem:
    """A thing that does not exist."""
    return Problem(404, "Resource Not Found", "The requested resource could not be found.")


def bad(detail: str) -> Problem:
    """A body that does not fit the schema."""
    return Problem(400, "Invalid Resource", detail)


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object sent."""
    try:
        document = await request.json()
    except ValueError:
        raise Problem(400, "JSON Parse Error", "We encountered an unspecified JSON parsing error.") from None
    if not isinstance(document, dict):
        raise bad("Schema describes object, array found instead")
    return document


def window(request: Request) -> tuple[int, int]:
    """Count and offset of a listing."""
    found = [request.query_params.get("count", str(PER_PAGE)), request.query_params.get("offset", "0")]
    if not all(text.isdigit() for text in found) or int(found[0]) > MOST_PER_PAGE:
        raise bad(f"count must be at most {MOST_PER_PAGE}")
    return int(found[0]), int(found[1])


def hash_of(email: str) -> str:
    """What names a contact in paths."""
    return md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def checked_email(email: object) -> str:
    """The address, when Mailchimp takes it. Raises ``RowRefused``."""
    text = str(email or "")
    if len(text) > 254 or ".." in text or EMAIL.fullmatch(text) is None:
        raise RowRefused("Please provide a valid email address.")
    if text.lower().endswith(FAKE):
        raise RowRefused(f"{text} looks fake or invalid, please enter a real email address.")
    if text.partition("@")[0].lower() in ROLES:
        raise RowRefused(f"{text} is a role-based address and cannot be imported.")
    return text


def checked_field(tag: str, kind: str, value: Any) -> Any:
    """A merge field's value, when it fits its type. Raises ``RowRefused``."""
    if value in (None, ""):
        return ""
    fits = isinstance(value, str | int | float)
    if kind == "date":
        fits = _date(str(value))
    elif kind in SHAPES:
        fits = SHAPES[kind].fullmatch(str(value)) is not None
    elif kind == "address":
        fits = isinstance(value, dict) and {"addr1", "city", "state", "zip"} <= value.keys()
    if not fits:
        raise _of_field(tag, f"Please enter a valid {kind}")
    if kind == "text" and len(str(value)) > MOST_TEXT:
        raise _of_field(tag, f"Data did not match any of the schemas: at most {MOST_TEXT} characters")
    return value


def required(tag: str) -> RowRefused:
    """A merge field that a new contact must have."""
    return _of_field(tag, "This value should not be blank.")


def _of_field(tag: str, message: str) -> RowRefused:
    error = RowRefused("Your merge fields were invalid.")
    return error.about(tag, message)


def _date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return False
    return True
