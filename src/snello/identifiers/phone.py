"""Telephone numbers: E.164 (ITU-T), and whether the number goes to a pocket or to a house.

Plans of numbers are those of Google's libphonenumber, in its Python port.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberFormat, PhoneNumberType

from snello.identifiers.text import null_like

_KINDS = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "premium",
}
_SPACING = str.maketrans("", "", " -./()")
_SEVERAL = re.compile(r"[/;,|\n]|\s-\s|\so\s|\se\s")
_LONGEST = 200  # a field may hold several numbers, or a note with a number in front
RUN = "01234567890123456789"
NUR = RUN[::-1]
"""Digits in a row, up and down: typed to get past a form."""


@lru_cache(maxsize=1)
def italian_numbers() -> str | None:
    """The library's own patterns of Italian mobile and landline numbers, so that no quick path can drift."""
    metadata = PhoneMetadata.metadata_for_region("IT")
    if metadata is None or metadata.mobile is None or metadata.fixed_line is None:
        return None
    return f"{metadata.mobile.national_number_pattern}|{metadata.fixed_line.national_number_pattern}"


@lru_cache(maxsize=1)
def _italian() -> re.Pattern[str]:
    numbers = italian_numbers()
    return re.compile(rf"(?:\+39|0039)?({numbers})" if numbers else r"(?!)", re.ASCII)


class Phone(NamedTuple):
    """What a number says; see ``normalise_phone``, ``phone_kind`` and ``phone_is_placeholder``."""

    number: str
    kind: str | None
    is_placeholder: bool


def read_phone(value: str | None, country: str | None = "IT") -> Phone | None:
    """All that the number says at once; ``None`` when no such number can exist."""
    number = normalise_phone(value, country)
    if number is None:
        return None
    return Phone(number, phone_kind(number), _is_placeholder(number[1:]))


def normalise_phone(value: str | None, country: str | None = "IT") -> str | None:
    """The number in E.164 (``+393331234567``); ``None`` when no such number can exist.

    - ``country``: two letters; where the number is dialled from when it has no prefix (Italy when not given)
    - of several numbers in one field, the first that can exist
    """
    if value is None:
        return None
    value = value[:_LONGEST]
    if country is None or country == "IT":
        quick = _italian().fullmatch(value.translate(_SPACING))
        if quick:
            return f"+39{quick[1]}"
    return _full(value, (country or "IT").strip().upper())


@lru_cache(maxsize=65_536)
def _full(value: str, country: str) -> str | None:
    text = null_like(value)
    if text is None:
        return None
    return next((found for part in (text, *_SEVERAL.split(text)) if (found := _parse(part, country))), None)


def _parse(text: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(text, country if country in phonenumbers.SUPPORTED_REGIONS else None)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    number.extension = None
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def phone_kind(value: str | None) -> str | None:
    """What an E.164 number reaches: ``mobile``, ``landline``, ``voip``, ``toll_free``, ``premium`` or ``other``."""
    if value is None or len(value) > _LONGEST:
        return None
    if value.startswith(("+393", "+390")) and _italian().fullmatch(value):
        return "mobile" if value[3] == "3" else "landline"
    return _kind(value)


@lru_cache(maxsize=65_536)
def _kind(value: str) -> str | None:
    try:
        number = phonenumbers.parse(value, None)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return _KINDS.get(phonenumbers.number_type(number), "other")


def phone_is_placeholder(value: str | None) -> bool | None:
    """Whether the digits were typed to get past a form (``3333333333``, ``3331234567``): they speak of nobody."""
    if value is None:
        return None
    digits = "".join(c for c in value[:_LONGEST] if c in "0123456789")
    return _is_placeholder(digits) if digits else None


def _is_placeholder(digits: str) -> bool:
    tail = digits[-7:]
    return len(tail) < 6 or tail.count(tail[0]) == len(tail) or tail in RUN or tail in NUR
