"""Addresses, numbers, names, dates and ids of people, as more than one platform wants them."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from snello.identifiers.device import normalise_device
from snello.identifiers.email import normalise_email
from snello.identifiers.name import normalise_name
from snello.identifiers.phone import normalise_phone
from snello.identifiers.text import null_like

E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SUFFIX = re.compile(r"[ ,]+(?:jr|sr|ii|iii|iv)\.?$", re.IGNORECASE)
_CLOSE = str.maketrans("", "", " '.,-")
_GMAIL = ("gmail.com", "googlemail.com")


def email(value: str, _: str = "") -> str | None:
    """The address, trimmed and small; its domain in ASCII."""
    return normalise_email(value)


def gmail(value: str, _: str = "") -> str | None:
    """The address; at Gmail alone without the dots and without what follows a plus sign."""
    address = normalise_email(value)
    return address and gmailbox(address)


def gmailbox(address: str) -> str | None:
    """The mailbox of an address in normal form that may be at Gmail."""
    if not address.endswith(_GMAIL):
        return address
    local, _at, domain = address.partition("@")
    if domain not in _GMAIL:
        return address
    mailbox = local.partition("+")[0].replace(".", "")
    return f"{mailbox}@{domain}" if mailbox else None


def untagged(value: str, _: str = "") -> str | None:
    """The address without what follows a plus sign, whatever its provider."""
    address = normalise_email(value)
    return address and without_tag(address)


def without_tag(address: str) -> str | None:
    """An address in normal form, up to its plus sign."""
    if "+" not in address:
        return address
    local, _at, domain = address.partition("@")
    mailbox = local.partition("+")[0]
    return f"{mailbox}@{domain}" if mailbox else None


def e164(value: str, country: str) -> str | None:
    """The number with plus sign and country code; numbers without a code are dialled from the person's country."""
    return value if E164.fullmatch(value) else normalise_phone(value, country or None)


def digits(value: str, country: str) -> str | None:
    """The number with its country code, digits alone."""
    number = e164(value, country)
    return number and number[1:]


def name(value: str, _: str = "") -> str | None:
    """The name in small letters, without titles before it and generations behind it (``jr.``)."""
    shown = normalise_name(value)
    if shown is None:
        return None
    return (_SUFFIX.sub("", shown) or shown).lower()


def close_name(value: str, _: str = "") -> str | None:
    """The name in small letters without punctuation and white space; accents and other scripts stay."""
    shown = name(value)
    return (shown and shown.translate(_CLOSE)) or None


def shown_name(value: str, _: str = "") -> str | None:
    """The name as one would print it."""
    return normalise_name(value)


def initial_of_sex(value: str, _: str = "") -> str | None:
    """``m`` or ``f``."""
    return _SEXES.get(value.lower())


_SEXES = {"m": "m", "male": "m", "maschio": "m", "f": "f", "female": "f", "femmina": "f"}


def birth_year(value: str, _: str = "") -> str | None:
    """Four digits."""
    born = _born(value)
    return f"{born.year:04}" if born else None


def birth_month(value: str, _: str = "") -> str | None:
    """``01`` to ``12``."""
    born = _born(value)
    return f"{born.month:02}" if born else None


def birth_day(value: str, _: str = "") -> str | None:
    """``01`` to ``31``."""
    born = _born(value)
    return f"{born.day:02}" if born else None


@lru_cache(maxsize=65_536)
def _born(value: str) -> date | None:
    try:
        born = date.fromisoformat(value[:10])
    except ValueError:
        return None
    return born if born.year >= 1900 else None


def advertising_id(value: str, _: str = "") -> str | None:
    """The id of a device in small letters with hyphens; ``None`` for the zeros of who limits tracking."""
    found = normalise_device(value)
    return found if found and _UUID.fullmatch(found) else None


def as_given(value: str, _: str = "") -> str | None:
    """The text itself; ``None`` where it is a way of writing nothing."""
    return value if null_like(value) else None
