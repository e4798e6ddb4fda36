"""Identifiers as advertising platforms compare them, and their hashes: one sign off, and nobody is found."""

from __future__ import annotations

import hashlib
import unicodedata

from snello.identifiers import normalise_phone
from snello.kit.files.writing.layout import Column, Identifier, Platform
from snello.kit.platforms import PLATFORMS

_COLUMNS = {"email": "email", "phone": "phone", "name": "first_name"}
_READS = {
    (platform.name, kind): rule.read
    for platform in PLATFORMS.values()
    for rule in platform.rules
    for kind, column in _COLUMNS.items()
    if rule.column == column
}


def identifier(value: str, kind: Identifier, platform: Platform, country: str) -> str | None:
    """The value in the platform's form; None when nothing is left: nothing is never hashed.

    - of a platform of advertising by that platform's own rules
    - else an e-mail in small letters without spaces, a phone in E.164, a name in small letters
    """
    if read := _READS.get((platform, kind)):
        return read(value.strip(), country)
    match kind:
        case "email":
            return _email(value)
        case "phone":
            return normalise_phone(value, country)
        case "name":
            return " ".join(unicodedata.normalize("NFC", value).lower().split()) or None
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


def _email(value: str) -> str | None:
    address = "".join(value.split()).lower()
    local, at, domain = address.rpartition("@")
    return address if at and local and domain else None
