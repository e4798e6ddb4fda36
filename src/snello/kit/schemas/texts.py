"""What a text is beside a text: a date, a moment, an amount."""

from __future__ import annotations

import re
from datetime import date, datetime

DECIMAL = "singer.decimal"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?")
# as money is written: the mark is there, and no zero in front that would make it a code
_AMOUNT = re.compile(r"-?(0|[1-9]\d{0,17})\.(\d{2,6})")


def kind_of_text(text: str) -> str:
    """``date``, ``date-time``, ``singer.decimal``, ``zero`` (the text 0, which amounts may be) or ``text``."""
    if _AMOUNT.fullmatch(text):
        return DECIMAL
    if text == "0":
        return "zero"
    try:
        if _DATE.fullmatch(text):
            date.fromisoformat(text)
            return "date"
        if _MOMENT.fullmatch(text):
            datetime.fromisoformat(text)
            return "date-time"
    except ValueError:
        return "text"
    return "text"


def size_of_decimal(text: str) -> tuple[int, int]:
    """Digits before and after the mark."""
    whole, _, rest = text.lstrip("-").partition(".")
    return len(whole), len(rest)
