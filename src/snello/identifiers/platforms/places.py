"""Countries, provinces, towns and postcodes, as the platforms that ask for them want them."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from snello.identifiers.text import null_like, squash

# The library's regions are ISO 3166-1 but for these three; nobody lives in the few that it lacks.
_COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS) - {"AC", "TA", "XK"}
_US_EXTENDED = re.compile(r"([0-9]{5})[- ]?[0-9]{4}")


def iso_country(value: str, _: str = "") -> str | None:
    """Two capitals of ISO 3166-1; ``None`` for what is no country. ``UK`` is ``GB``."""
    code = value.strip().upper()
    code = "GB" if code == "UK" else code
    return code if code in _COUNTRIES else None


def small_country(value: str, _: str = "") -> str | None:
    """Two small letters of ISO 3166-1."""
    code = iso_country(value)
    return code and code.lower()


def letters_only(value: str, _: str = "") -> str | None:
    """A place in small letters alone: no digits, signs or white space; letters of every script stay."""
    text = null_like(value)
    return (text and "".join(c for c in text.lower() if unicodedata.category(c)[0] in "LM")) or None


def short_postcode(value: str, country: str) -> str | None:
    """Small, no white space, no hyphens; in the US the first five digits alone."""
    text = null_like(value)
    if text is None:
        return None
    signs = text.lower()
    us = _US_EXTENDED.fullmatch(signs) if country == "US" or (not country and "-" in signs) else None
    return us[1] if us else "".join(c for c in signs if c.isalnum()) or None


def plain_postcode(value: str, _: str = "") -> str | None:
    """The postcode as written, without white space around it."""
    text = null_like(value)
    return text and squash(text)
