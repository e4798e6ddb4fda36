"""VAT numbers of the European Union, each checked by its own state's rule.

The Italian number's last digit is Luhn's (decree of 23 December 1976); the other states' rules are python-stdnum's.
"""

from __future__ import annotations

import re
from functools import lru_cache

from stdnum.eu import vat
from stdnum.exceptions import ValidationError

_NOISE = re.compile(r"[^A-Z0-9]")
_ITALIAN = re.compile(r"(?:IT)?([0-9]{11})")
_LONGEST = 100
_PREFIX = re.compile(r"(?!IT)[A-Z]{2}.{6,13}")


def _adds_up(digits: str) -> bool:
    doubled = (int(c) * 2 for c in digits[1::2])
    return (sum(int(c) for c in digits[0::2]) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


def normalise_vat(value: str | None) -> str | None:
    """The number with its country prefix (``IT01234567897``); ``None`` when it cannot be one."""
    if value is None:
        return None
    text = _NOISE.sub("", value[:_LONGEST].upper())
    italian = _ITALIAN.fullmatch(text)
    if italian:
        digits = italian[1]
        return f"IT{digits}" if digits.strip("0") and _adds_up(digits) else None
    return _european(text) if _PREFIX.fullmatch(text) else None


@lru_cache(maxsize=65_536)
def _european(text: str) -> str | None:
    try:
        # Greece has two prefixes, and one number.
        return str(vat.validate(text.replace("GR", "EL", 1) if text.startswith("GR") else text))
    except (ValidationError, ValueError):
        return None
