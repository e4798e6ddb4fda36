"""Identifiers as advertising platforms compare them, and their hashes: one sign off, and nobody is found."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from snello.identifiers import normalise_phone
from snello.kit.files.writing.layout import Column, Identifier, Platform

GOOGLES_OWN = ("gmail.com", "googlemail.com")


def identifier(value: str, kind: Identifier, platform: Platform, country: str) -> str | None:
    """The value in the platform's form; None when nothing is left: nothing is never hashed.

    - e-mail: small letters, no spaces; of Google for its own domains without points and what follows a plus
    - phone: E.164; of Meta without the plus
    - name: small letters; of Meta without punctuation
    """
    match kind:
        case "email":
            return _email(value, platform)
        case "phone":
            number = normalise_phone(value, country)
            return number.removeprefix("+") if number and platform == "meta" else number
        case "name":
            name = " ".join(unicodedata.normalize("NFC", value).lower().split())
            return (re.sub(r"[^\w\s]|_", "", name) if platform == "meta" else name) or None
        case _:
            return value.strip() or None


def written(value: str, column: Column, platform: Platform, country: str) -> str | None:
    """A value as the column wants it: normalised, hashed, or as it is."""
    if column.normalise is None and column.hash is None:
        return value
    normal = identifier(value, column.normalise or "text", platform, country)
    if normal is None or column.hash is None:
        return normal
    return hashlib.new(column.hash, normal.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _email(value: str, platform: Platform) -> str | None:
    address = "".join(value.split()).lower()
    local, at, domain = address.rpartition("@")
    if not (at and local and domain):
        return None
    if platform == "google" and domain in GOOGLES_OWN:
        local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}" if local else None
