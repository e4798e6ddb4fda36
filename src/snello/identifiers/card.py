"""Card numbers: loyalty cards and whatever else carries a printed number."""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum import ean, luhn

from snello.identifiers.text import null_like

_NOISE = re.compile(r"[^A-Z0-9]")
_DIGITS = re.compile(r"[0-9]+")
_WHOLE = re.compile(r"[0-9]+\.0")
_POWER = re.compile(r"[0-9][.,][0-9]+E\+?[0-9]+")
_LONGEST = 100
_SCHEMES: dict[str, Callable[[str], bool]] = {"luhn": luhn.is_valid, "ean": ean.is_valid}


def normalise_card(value: str | None) -> str | None:
    """Letters and digits alone, in upper case; ``None`` when nothing, too short, or one sign repeated (``0000000``)."""
    if value is not None and 4 <= len(value) <= _LONGEST and _DIGITS.fullmatch(value):
        return value if len(set(value)) > 1 else None
    text = null_like(value[:_LONGEST]) if value is not None else None
    if text is None:
        return None
    # Spreadsheets turn long numbers into 1.23E+12: the lost digits cannot be guessed.
    if _POWER.fullmatch(text.upper()):
        return None
    card = _NOISE.sub("", (text[:-2] if _WHOLE.fullmatch(text) else text).upper())
    return card if len(card) >= 4 and len(set(card)) > 1 else None


def card_checks(value: str | None, scheme: str | None) -> bool | None:
    """Whether the check digit is right; which scheme a series of cards follows, its source knows.

    - ``scheme``: ``luhn`` (ISO/IEC 7812-1, annex B) or ``ean`` (GS1 General Specifications 7.9: 8, 12, 13 or 14 digits)
    - ``None`` for no card, or a scheme of another name
    """
    card, check = normalise_card(value), _SCHEMES.get((scheme or "").strip().lower())
    return None if card is None or check is None else check(card)
