"""How long a server asks to wait, out of the headers in which servers say it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

EPOCH = 1_000_000_000  # a larger number is a moment, a smaller one a duration
RESETS = ("RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset")
REMAINING = ("RateLimit-Remaining", "X-RateLimit-Remaining", "X-Rate-Limit-Remaining")


def seconds_of(value: str | None) -> float | None:
    """Seconds to wait by a header's value: seconds, a moment in epoch seconds or milliseconds, a date, or ISO 8601."""
    text = (value or "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return _until(text)
    if number >= EPOCH * 1000:
        number /= 1000
    return max(0.0, number - time.time() if number >= EPOCH else number)


def _until(date: str) -> float | None:
    try:
        until = datetime.fromisoformat(date) if date[:4].isdigit() else parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def asked(status: int, headers: Mapping[str, str], also: Iterable[str] = ()) -> float | None:
    """Seconds that an answer asks to wait: by ``Retry-After``, and by limit headers when it is a limit that speaks."""
    wait = seconds_of(headers.get("Retry-After"))
    if wait is not None or status not in (429, 503):
        return wait
    for name in (*also, *RESETS):
        wait = seconds_of(headers.get(name))
        if wait is not None:
            return wait
    return exhausted(headers)


def exhausted(headers: Mapping[str, str]) -> float | None:
    """Seconds until there is something left of a limit that is used up; None when it is not, or does not say."""
    draft = dict(re.findall(r"\b(limit|remaining|reset|r|t)=(\d+)", headers.get("RateLimit", "")))
    left = draft.get("remaining", draft.get("r")) or next((headers[n] for n in REMAINING if n in headers), None)
    reset = draft.get("reset", draft.get("t")) or next((headers[n] for n in RESETS if n in headers), None)
    return seconds_of(reset) if left is not None and left.strip() == "0" else None
