"""How an identifier is found in a text that may hold more than it: as RE2 writes it, in lower case."""

from __future__ import annotations

import re

_BETWEEN = r"[ ./()\-]{0,2}"


def matched(kind: str, value: str) -> str:
    """A pattern that finds ``value`` where it stands by itself, however it is spaced, and not within a longer one."""
    text = value.strip().lower()
    if kind == "email":
        return rf"(^|[^a-z0-9._%+\-]){_literal(text)}\.?($|[^a-z0-9.\-])"
    if kind == "phone":
        digits = re.sub(r"[^0-9]", "", text)
        national = digits.removeprefix("39") if text.startswith("+39") else digits
        spaced = _BETWEEN.join(national)
        return rf"(^|[^0-9])((\+|00)?39{_BETWEEN})?{spaced}($|[^0-9])"
    spaced = _BETWEEN.join(_literal(letter) for letter in text if not letter.isspace())
    return rf"(^|[^a-z0-9]){spaced}($|[^a-z0-9])"


def _literal(text: str) -> str:
    return re.sub(r"([^a-z0-9@_])", r"\\\1", text)
