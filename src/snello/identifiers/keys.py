"""Keyed hashes: how a value is named where the value itself must not stand."""

from __future__ import annotations

import hmac


def hash_key(value: str | None, salt: str | None) -> str | None:
    """HMAC-SHA-256 of the value under the salt, in hex; ``None`` for nothing, so that nothing never becomes a key."""
    if not value:
        return None
    return hmac.digest(_bytes(salt or ""), _bytes(value), "sha256").hex()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
