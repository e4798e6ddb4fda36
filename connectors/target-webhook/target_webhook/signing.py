"""Signatures of bodies: made anew for every try, so that a call which waited long does not come with a stale one."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from snello.kit.http.auth import Credentials, Login

PREFIX = "whsec_"
LENGTHS = range(24, 65)  # bytes of a key, as Standard Webhooks asks for


class Signature(Protocol):
    """A scheme, with the secrets that are valid now, the newest first."""

    def check(self) -> None:
        """Raise ``ValueError`` when the secrets are none of this scheme."""

    def headers(self, name: str, moment: int, body: bytes) -> dict[str, str]:
        """The headers that sign a body at a moment (Unix seconds), sent under an idempotency key."""


@dataclass(frozen=True)
class Own:
    """``Snello-Signature: t=<moment>,v1=<hex>``, with a ``v1`` a secret."""

    secrets: tuple[str, ...]

    def check(self) -> None:
        """Any text will do."""

    def headers(self, name: str, moment: int, body: bytes) -> dict[str, str]:
        """Over moment and body."""
        content = f"{moment}.".encode() + body
        made = (hmac.new(secret.encode(), content, hashlib.sha256).hexdigest() for secret in self.secrets)
        return {"Snello-Signature": ",".join([f"t={moment}", *(f"v1={digest}" for digest in made)])}


@dataclass(frozen=True)
class Standard:
    """Standard Webhooks: ``webhook-signature: v1,<base64>``, one a secret, with spaces between them."""

    secrets: tuple[str, ...]

    def check(self) -> None:
        """Secrets are keys of 24 to 64 bytes, in base64."""
        for secret in self.secrets:
            try:
                fit = len(_key(secret)) in LENGTHS
            except (binascii.Error, ValueError):
                fit = False
            if not fit:
                wanted = "Next: give it as whsec_ and 24 to 64 random bytes in base64, or set signature to snello"
                raise ValueError(f"a secret is no key of Standard Webhooks. {wanted}")

    def headers(self, name: str, moment: int, body: bytes) -> dict[str, str]:
        """Over the message's name, moment and body."""
        content = f"{name}.{moment}.".encode() + body
        made = (hmac.new(_key(secret), content, hashlib.sha256).digest() for secret in self.secrets)
        signatures = " ".join(f"v1,{b64encode(digest).decode()}" for digest in made)
        return {"webhook-id": name, "webhook-timestamp": str(moment), "webhook-signature": signatures}


SCHEMES: Mapping[str, type[Own] | type[Standard]] = {"snello": Own, "standard": Standard}


@dataclass(frozen=True)
class Signing:
    """A scheme as the credentials of a client: each try is signed when it goes out."""

    scheme: Signature
    settings: tuple[str, ...] = ("secret",)

    def bind(self, config: Mapping[str, Any], login: Login) -> Credentials:
        """Itself: nothing is fetched."""
        return self

    def current(self) -> str:
        """Empty: there is no token."""
        return ""

    def sign(self, request: requests.PreparedRequest, token: str) -> None:
        """Put the signature of this moment on a request."""
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else body
        request.headers.update(self.scheme.headers(request.headers["Idempotency-Key"], int(time.time()), content))

    def renew(self, token: str) -> bool:
        """A signature that was refused cannot be made better."""
        return False


def _key(secret: str) -> bytes:
    text = secret.removeprefix(PREFIX)
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
