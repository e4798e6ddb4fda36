"""HubSpot's errors in our words: what rows are to blame for, what the account is, and what passes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from snello.kit.channel import ConfigError, RetryLater, Transient

WHERE = "target-hubspot"
LOCK, MOVE = 2.0, 3600.0  # seconds to wait for a locked record, and for an account on the move that does not say
OF_A_VALUE = re.compile(r'"error"\s*:\s*"([A-Z_]{1,60})"')
OF_A_PROPERTY = re.compile(r'"name"\s*:\s*"([a-z0-9_]{1,100})"')
SCOPE = re.compile(r"[a-z][a-z0-9._-]{1,80}")
OF_THE_ACCOUNT = {
    "PROPERTY_DOESNT_EXIST": ("the account has no property", "map its column in properties, or make it in HubSpot"),
    "READ_ONLY_VALUE": ("HubSpot lets nobody write the property", "map its column to another in properties"),
}


def judge(answer: requests.Response) -> Exception | None:
    """The fault that an answer's status does not tell; None where it does, or where rows are to blame."""
    status = answer.status_code
    if status == 423:
        return Transient("423", LOCK)
    if status == 477:
        return Transient("477", _seconds(answer.headers.get("Retry-After"), 1.0) or MOVE)
    if status != 207 and not 400 <= status < 500:
        return None
    body = body_of(answer)
    if status == 429:
        return _limit(body, answer.headers)
    if body.get("category") == "MISSING_SCOPES":
        scopes = ", ".join(sorted(set(_scopes(body)))) or "that this call needs"
        cure = "give it to the private app in HubSpot, under Integrations, and try again"
        return ConfigError(WHERE, f"the private app lacks the scope {scopes}", cure)
    for error in (*(body.get("errors") or ()), body):
        code = code_of_value(error) if isinstance(error, dict) else ""
        if code in OF_THE_ACCOUNT:
            what, cure = OF_THE_ACCOUNT[code]
            named = OF_A_PROPERTY.search(str(error.get("message", "")))
            return ConfigError(WHERE, f"{what} {named[1] if named else 'that a column goes to'}", cure)
    return None


def _limit(body: Mapping[str, Any], headers: Mapping[str, str]) -> Exception | None:
    """A 429 in HubSpot's own words: of the day, or of ten seconds; None for any other."""
    policy = body.get("policyName")
    if policy == "DAILY":
        cure = "run again after midnight in the account's time zone; nothing is lost"
        return RetryLater(WHERE, "the account's calls of the day are used up", cure)
    if policy is None:
        return None
    asked = _seconds(headers.get("Retry-After"), 1.0)
    return Transient("429", asked or _seconds(headers.get("X-HubSpot-RateLimit-Interval-Milliseconds"), 1000.0))


def word(error: Mapping[str, Any]) -> str:
    """One word for what is the matter with a row."""
    message, category = str(error.get("message", "")), str(error.get("category", ""))
    if category == "CONFLICT" and "already exists" in message:
        return "duplicate_email"
    if "already has that value" in message:
        return "duplicate_id"
    if category == "OBJECT_NOT_FOUND":
        return "not_there"
    found = (code_of_value(error) or category).lower()
    return found if re.fullmatch(r"[a-z][a-z_]{0,63}", found) else "refused"


def code_of(answer: requests.Response) -> str:
    """The word for a body that was refused as a whole."""
    if answer.status_code == 413:
        return "too_large"
    body = body_of(answer)
    return word(body) if body.get("category") else ""


def code_of_value(error: Mapping[str, Any]) -> str:
    """HubSpot's code for a value, which stands in a list of its own or within the message."""
    for detail in error.get("errors") or ():
        if isinstance(detail, dict) and isinstance(detail.get("code"), str):
            return str(detail["code"])
    found = OF_A_VALUE.search(str(error.get("message", "")))
    return found[1] if found else ""


def body_of(answer: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty when it holds none."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _scopes(body: Mapping[str, Any]) -> Iterator[str]:
    for error in body.get("errors") or ():
        context = error.get("context") if isinstance(error, dict) else None
        for names in context.values() if isinstance(context, dict) else ():
            yield from (name for name in names if isinstance(name, str) and SCOPE.fullmatch(name))


def _seconds(text: str | None, unit: float) -> float | None:
    try:
        return float(text or "") / unit
    except ValueError:
        return None
