"""International bank account numbers, as ISO 13616 says: length and structure by country, two check digits mod 97."""

from __future__ import annotations

import re

from stdnum import iban
from stdnum.exceptions import ValidationError

_NOISE = re.compile(r"[\s.\-]|^iban:?", re.IGNORECASE)
_LONGEST = 60


def normalise_iban(value: str | None) -> str | None:
    """The number in capitals without spaces; ``None`` when the country, the length or the check digits do not fit."""
    if value is None or len(value) > _LONGEST or not value.isascii():
        return None
    try:
        return str(iban.validate(_NOISE.sub("", value.strip()))).upper()
    except ValidationError:
        return None
