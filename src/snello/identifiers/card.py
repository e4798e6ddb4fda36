"""Card numbers: loyalty cards and whatever else carries a printed number."""

from __future__ import annotations

import re

from snello.identifiers.text import null_like

_NOISE = re.compile(r"[^A-Z0-9]")


def normalise_card(value: str | None) -> str | None:
    """Letters and digits alone, in upper case; ``None`` when nothing, too short, or one sign repeated (``0000000``)."""
    text = null_like(value)
    if text is None:
        return None
    # Spreadsheets turn long numbers into 1.23E+12: the lost digits cannot be guessed.
    if re.fullmatch(r"[0-9][.,][0-9]+E\+?[0-9]+", text.upper()):
        return None
    card = _NOISE.sub("", re.sub(r"^([0-9]+)\.0$", r"\1", text).upper())
    return card if len(card) >= 4 and len(set(card)) > 1 else None
