"""Values as a stranger may see them: what a value is, and itself only where it says nothing of a person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MOST_DIGITS, MOST_DECIMALS = 7, 4  # longer numbers may be of a phone, a tax payer, a place on the map
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(Z|[+-]\d\d:?\d\d)?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_AMOUNT = re.compile(rf"-?\d{{1,{MOST_DIGITS}}}(\.\d{{1,{MOST_DECIMALS}}})?")


def masked(row: Mapping[str, Any], schema: Mapping[str, Any], keys: Sequence[str]) -> dict[str, str]:
    """A row as text: its values where they are harmless, else their kind and size, as in ``text(23)``.

    - shown: yes and no, null, numbers of up to 7 digits, moments, amounts, and keys that are numbers or UUIDs
    - told by kind and size: texts, dates (of birth), long numbers, objects, lists
    """
    properties = schema.get("properties", {})
    return {name: _mask(value, properties.get(name) or {}, name in keys) for name, value in row.items()}


def plain(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as text, values and all."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return f"object({len(value)})"
    return f"list({len(value)})" if isinstance(value, list) else str(value)


def _mask(value: Any, declared: Mapping[str, Any], key: bool) -> str:
    if value is None or isinstance(value, bool | dict | list):
        return _plain(value)
    text = str(value)
    if isinstance(value, int | float):
        return text if (key and isinstance(value, int)) or _AMOUNT.fullmatch(text) else f"number({len(text)})"
    form = str(declared.get("format") or "")
    if form == "date-time" and _MOMENT.fullmatch(text):
        return text
    if form.endswith("singer.decimal") and _AMOUNT.fullmatch(text):
        return text
    if key and _UUID.fullmatch(text):
        return text
    if form == "date":
        return "date"
    return f"{'e-mail' if '@' in text else 'text'}({len(text)})"
