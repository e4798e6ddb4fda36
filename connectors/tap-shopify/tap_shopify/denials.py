"""What an answer says of the app: the rights that it lacks, and how long its points need to return."""

from __future__ import annotations

import re
from typing import Any

from snello.kit.rest import ConfigError

_SCOPE = re.compile(r"\b(?:read|write)_[a-z_]{2,40}\b")
_FIELD = re.compile(r"[A-Za-z]\w{0,60}")


def refuse_denied(document: Any, where: str) -> None:
    """Raise ``ConfigError`` when an error of the answer is a right that the app lacks; its words are not repeated."""
    errors = document.get("errors") if isinstance(document, dict) else None
    for error in errors if isinstance(errors, list) else ():
        if not isinstance(error, dict) or _told(error).get("code") != "ACCESS_DENIED":
            continue
        path = ".".join(part for part in error.get("path") or () if isinstance(part, str) and _FIELD.fullmatch(part))
        scope = _SCOPE.search(f"{_told(error).get('requiredAccess')} {error.get('message')}")
        if scope:
            cure = "grant the app that scope in the shop, and give access_token the token of the new installation"
            raise ConfigError(where, f"the app lacks the access scope {scope.group()}", cure)
        cure = "request protected customer data for the app, with names, addresses, e-mails and phones"
        raise ConfigError(where, f"Shopify has not approved the app for protected customer data ({path})", cure)


def seconds_to_restore(document: Any) -> float | None:
    """Seconds until the points that a throttled query needs have come back; None when the answer does not tell."""
    try:
        cost = document["extensions"]["cost"]
        status = cost["throttleStatus"]
        lacking = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        return max(lacking, 0.0) / float(status["restoreRate"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _told(error: dict[str, Any]) -> dict[str, Any]:
    told = error.get("extensions")
    return told if isinstance(told, dict) else {}
