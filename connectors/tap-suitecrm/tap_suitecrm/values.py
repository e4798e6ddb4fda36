"""SuiteCRM's values, which are all texts, as the schema has them: the same from either interface."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from snello.kit.rest import Row

# SuiteCRM escapes these on the way in; whoever wrote &copy; wrote an address, or meant it
ESCAPED = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#039;": "'", "&#39;": "'"}
BOOLEANS = {**dict.fromkeys(("1", "true", "on", "yes"), True), **dict.fromkeys(("0", "false", "off", "no"), False)}
_ESCAPES, _NEVER = re.compile("|".join(ESCAPED)), re.compile(r"0000-00-00(?:[ T]00:00:00.*)?")
Convert = Callable[[str], Any]


def unescaped(text: str) -> str:
    """A text as it was typed; each escape is undone once."""
    return _ESCAPES.sub(lambda found: ESCAPED[found[0]], text) if "&" in text else text


def converter(declared: Mapping[str, Any]) -> Convert:
    """What reads a text by its declaration; a text that is none of that type stays, and is refused then."""
    kinds, form = declared.get("type", []), declared.get("format")
    if "boolean" in kinds:
        return lambda text: BOOLEANS.get(text.lower(), text)
    if "integer" in kinds:
        return lambda text: int(text) if re.fullmatch(r"-?\d+", text) else text
    if form == "date-time":
        return _moment
    return _day if form == "date" else unescaped


def plain(row: Row, known: Mapping[str, Convert]) -> Row:
    """A row with its values read; an empty text is none."""
    return {name: _read(value, known.get(name, unescaped)) for name, value in row.items()}


def _read(value: Any, convert: Convert) -> Any:
    if value is None or value == "" or isinstance(value, dict | list):
        return value or None
    return convert(str(int(value)) if isinstance(value, bool) else str(value))


def _moment(text: str) -> str | None:
    """A moment in UTC, as V8 writes it with a zone and the elder interface without."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None if _NEVER.fullmatch(text) else text
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _day(text: str) -> str | None:
    return None if _NEVER.fullmatch(text) else text[:10]
