"""Fields whose names say that nobody should have what they hold."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRET = re.compile(
    r"(password|passwd|passphrase|secret|token|hash(ed|e)?|api_?key|private_?key)s?(_|$)"
    r"|(^|_)pwd(_|$)|(^|_)(password|passwd)"
)


def sounds_secret(name: str) -> bool:
    """Whether a field's name speaks of a password, a token, a secret, a hash or an API key."""
    return bool(_SECRET.search("_".join(_WORD.findall(name)).lower()))
