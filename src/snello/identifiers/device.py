"""Ids of devices and browsers: advertising ids, client ids of analytics cookies, and hashes of either.

Advertising ids are UUIDs of RFC 9562 (Apple's IDFA in capitals, Google's AAID in small letters); both platforms answer
with zeros alone when a person limits tracking. A ``_ga`` cookie is ``GA1.2.<random>.<first visit>``: the id is the last
two.
"""

from __future__ import annotations

import hashlib
import re

from snello.identifiers.text import null_like

_UUID = re.compile(r"\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?")
_ANALYTICS = re.compile(r"(?:GA[0-9]\.[0-9](?:-[0-9]+)?\.)?([0-9]{6,10}\.[0-9]{9,10})", re.IGNORECASE)
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{16}")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,127}")
_ZEROS = "00000000-0000-0000-0000-000000000000"
_OF_NOTHING = frozenset(
    getattr(hashlib, kind)(text.encode(), usedforsecurity=False).hexdigest()
    for kind in ("md5", "sha1", "sha256")
    for text in ("", "null", "undefined", "0", _ZEROS)
)


def normalise_device(value: str | None) -> str | None:
    """One spelling of a device's or browser's id; ``None`` for zeros, one sign repeated, or the hash of nothing.

    - UUIDs in small letters with hyphens, analytics cookies by their client id, hashes in small letters
    - any other token of 8 to 128 signs is kept as it is: its capitals may mean something
    """
    text = null_like(value) if value is not None and len(value) <= 200 else None
    if text is None:
        return None
    small = text.lower()
    plain = small.replace("-", "").strip("{}")
    if len(set(plain)) < 3 or plain in _OF_NOTHING:
        return None
    if uuid := _UUID.fullmatch(small):
        return "-".join(uuid.groups())
    if client := _ANALYTICS.fullmatch(text):
        return client[1]
    if _HASH.fullmatch(small):
        return small
    return text if _TOKEN.fullmatch(text) else None
