"""VAT numbers: Italian ones checked by their digit, those of other EU states by their shape."""

from __future__ import annotations

import re

_NOISE = re.compile(r"[^A-Z0-9]")
_ITALIAN = re.compile(r"(?:IT)?([0-9]{11})")
_EUROPEAN = re.compile(
    r"ATU[0-9]{8}|BE[01][0-9]{9}|BG[0-9]{9,10}|CY[0-9]{8}[A-Z]|CZ[0-9]{8,10}|DE[0-9]{9}|DK[0-9]{8}|EE[0-9]{9}|EL[0-9]{9}"
    r"|ES[A-Z0-9][0-9]{7}[A-Z0-9]|FI[0-9]{8}|FR[A-Z0-9]{2}[0-9]{9}|HR[0-9]{11}|HU[0-9]{8}|IE[0-9][A-Z0-9][0-9]{5}[A-Z]{1,2}"
    r"|LT(?:[0-9]{9}|[0-9]{12})|LU[0-9]{8}|LV[0-9]{11}|MT[0-9]{8}|NL[0-9]{9}B[0-9]{2}|PL[0-9]{10}|PT[0-9]{9}|RO[0-9]{2,10}"
    r"|SE[0-9]{12}|SI[0-9]{8}|SK[0-9]{10}"
)


def _adds_up(digits: str) -> bool:
    doubled = (int(c) * 2 for c in digits[1::2])
    return (sum(int(c) for c in digits[0::2]) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


def normalise_vat(value: str | None) -> str | None:
    """The number with its country prefix (``IT01234567897``); ``None`` when it cannot be one."""
    if value is None:
        return None
    text = _NOISE.sub("", value.upper())
    italian = _ITALIAN.fullmatch(text)
    if italian:
        digits = italian[1]
        return f"IT{digits}" if digits.strip("0") and _adds_up(digits) else None
    return text if _EUROPEAN.fullmatch(text) else None
