"""What a channel knows a row by, kept sealed under the hub's salt: hashed identifiers name whoever is on a list."""

from __future__ import annotations

import base64
import hashlib
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from snello.errors import ConfigError

NONCE = 12  # bytes
ABOUT = b"snello handles"  # nothing else is sealed under this key


class Seal:
    """AES-256-GCM under a key of the salt; whoever has the ledger alone learns nothing from what it holds."""

    def __init__(self, salt: str) -> None:
        self._cipher = AESGCM(hashlib.sha256(ABOUT + b" " + salt.encode()).digest())

    def shut(self, handles: tuple[str, ...]) -> str:
        """The handles as one text that only this seal opens; another one each time."""
        nonce = os.urandom(NONCE)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, json.dumps(handles).encode(), ABOUT)).decode()

    def open(self, sealed: str | None) -> tuple[str, ...]:
        """The handles of one or several such texts, none for none.

        Raises ``ConfigError`` when they were sealed under another salt.
        """
        found = [handle for text in (sealed or "").split() for handle in self._opened(text)]
        return tuple(dict.fromkeys(found))

    def _opened(self, sealed: str) -> list[str]:
        try:
            raw = base64.b64decode(sealed, validate=True)
            found: list[str] = json.loads(self._cipher.decrypt(raw[:NONCE], raw[NONCE:], ABOUT))
            return found
        except (InvalidTag, ValueError):
            cure = "give SNELLO_SALT its old value: without it nobody can be taken out of this channel"
            raise ConfigError("ledger", "what a channel knows people by was sealed under another salt", cure) from None
