"""Signed references: what a message says of its row, so that a bounce or an unsubscription finds the row again.

Each use is signed for itself: whoever sees the Message-ID of a forwarded letter cannot unsubscribe its reader. No
reference holds an address; the row's key is in it, and the sync is bound by the signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field

PLAIN = re.compile(r"[a-z0-9_-]+")
CODED = "=b32="
MOST_LOCAL = 64  # octets of a local part, RFC 5321
SIGNED = 16  # hex digits of a signature where room is short: 64 bits


@dataclass(frozen=True)
class Refs:
    """The references of one sync under one secret."""

    secret: bytes = field(repr=False)
    sync: str

    def message(self, key: str, fingerprint: str | None) -> str:
        """What stands before the @ of a Message-ID: the same whenever the same content is sent to the same row."""
        content = f"{_coded(key)}.{(fingerprint or '')[:8] or '0'}"
        return f"{content}.{self._short('message', content)}"

    def of_message(self, ref: str) -> str | None:
        """The key in such a reference; None when it is not one of this sync."""
        content, _, signature = ref.rpartition(".")
        if not _same(signature, self._short("message", content)):
            return None
        return _decoded(content.partition(".")[0])

    def path(self, key: str) -> str:
        """The key as part of a return path, which mail servers may turn to lower case."""
        content = _coded(key)
        return f"{content}.{self._short('path', content)}"

    def of_path(self, ref: str) -> str | None:
        """The key in such a part; None when it is not one of this sync."""
        content, _, signature = ref.lower().rpartition(".")
        return _decoded(content) if _same(signature, self._short("path", content)) else None

    def leave(self, key: str, customer: str) -> str:
        """The token of an unsubscription: sync, key and customer, readable by who holds the secret alone."""
        return leaving(self.secret, Left(self.sync, key, customer))

    def of_leave(self, token: str) -> str | None:
        """The key of an unsubscription from this sync; None for any other token."""
        said = left(self.secret, token)
        return said.key if said and said.sync == self.sync else None

    def _short(self, use: str, content: str) -> str:
        return _signature(self.secret, f"{use}\n{self.sync}\n{content}")[:SIGNED]


@dataclass(frozen=True)
class Left:
    """Who wants no more letters of what."""

    sync: str
    key: str
    customer: str


def leaving(secret: bytes, said: Left) -> str:
    """A token for the address under which somebody unsubscribes with one click."""
    content = _base64(json.dumps([said.sync, said.key, said.customer], separators=(",", ":")).encode())
    return f"{content}.{_signature(secret, f'leave {content}')[:32]}"


def left(secret: bytes, token: str) -> Left | None:
    """What such a token says; None when it was not signed with this secret."""
    content, _, signature = token.rpartition(".")
    if not _same(signature, _signature(secret, f"leave {content}")[:32]):
        return None
    sync, key, customer = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    return Left(sync, key, customer)


def _signature(secret: bytes, content: str) -> str:
    return hmac.new(secret, content.encode(), hashlib.sha256).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _coded(key: str) -> str:
    """The key as it is where a mail server cannot harm it, else in letters and digits that have no capitals."""
    if PLAIN.fullmatch(key):
        return key
    return CODED + base64.b32encode(key.encode()).decode().rstrip("=").lower()


def _decoded(coded: str) -> str | None:
    if not coded.startswith(CODED):
        return coded
    text = coded.removeprefix(CODED).upper()
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
