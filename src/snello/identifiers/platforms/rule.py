"""One field of one platform: from which column it comes, how a value is read, and whether it is hashed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

Read: TypeAlias = Callable[[str, str], "str | None"]
_LENGTH = 64
_HASHED = re.compile(r"[0-9a-fA-F]{64}")


def sha256(text: str) -> str:
    """SHA-256 of the text in UTF-8, in small hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_OF_NOTHING = frozenset(map(sha256, ("", " ", "null", "none", "nan", "n/a", "undefined")))


@dataclass(frozen=True)
class Rule:
    """How one field of a platform comes from one column.

    - ``read``: value and country (two capitals, or nothing) to the value as the platform wants it; ``None`` for nothing
    - ``clear``: the platform takes it as it is read; all else is hashed, and taken as it is where it is hashed already
    - ``by_country``: what the value means depends on the person's country
    - ``shared``: many people have the same value, so that what came of it is worth keeping
    """

    column: str
    field: str
    read: Read
    clear: bool = False
    by_country: bool = False
    shared: bool = True

    def sent(self, value: object, country: str = "") -> str | None:
        """The value as it goes to the platform; ``None`` when there is nothing in it. Never the hash of nothing."""
        text = text_of(value)
        if not text:
            return None
        if len(text) == _LENGTH and not self.clear and _HASHED.fullmatch(text):
            return None if text.lower() in _OF_NOTHING else text.lower()
        found = self.read(text, country)
        return found if self.clear or not found else sha256(found)


def text_of(value: object) -> str:
    """A value as its text without white space around it: a moment as its day, nothing as no text."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    return value.isoformat()[:10] if isinstance(value, date) else str(value).strip()
