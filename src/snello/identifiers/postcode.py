"""The Italian postcode (*CAP*), and the town, province and region that follow from it."""

from __future__ import annotations

import re
from functools import lru_cache

from snello.identifiers import tables
from snello.identifiers.text import fold, null_like

_SHAPE = re.compile(r"(?:I|IT|ITA)?[ -]*([0-9]{3,5})(?:\.0)?", re.IGNORECASE)
_PROVINCE = re.compile(r"\(?([A-Z]{2})\)?")


@lru_cache(maxsize=65_536)
def normalise_postcode(value: str | None) -> str | None:
    """Five digits, with the zeros that spreadsheets drop (``187`` → ``00187``); ``None`` when no Italian postcode."""
    text = null_like(value)
    shape = text and _SHAPE.fullmatch(text)
    if not shape:
        return None
    digits = shape[1].zfill(5)
    return digits if "00010" <= digits <= "98168" else None


def _places(value: str | None) -> list[dict[str, str]]:
    postcode = normalise_postcode(value)
    return tables.postcodes().get(postcode, []) if postcode else []


def postcode_province(value: str | None) -> str | None:
    """Two letters of the province; ``None`` when the postcode is unknown or crosses a border."""
    found = {place["province"] for place in _places(value)}
    return found.pop() if len(found) == 1 else None


def postcode_region(value: str | None) -> str | None:
    """The region; ``None`` when the postcode is unknown or crosses a border."""
    found = {tables.provinces()[place["province"]]["region"] for place in _places(value)}
    return found.pop() if len(found) == 1 else None


def postcode_city(value: str | None) -> str | None:
    """The town; ``None`` when the postcode is unknown or several towns share it."""
    places = _places(value)
    towns = {place["place"] for place in places if place["town"] == "1"} or {place["place"] for place in places}
    return towns.pop() if len(towns) == 1 else None


def _letters(name: str) -> str:
    return "".join(c for c in fold(name) if c.isalpha())


def postcode_has_city(value: str | None, city: str | None) -> bool | None:
    """Whether the place is one of the postcode's; ``None`` when either is unknown: only a contradiction is false."""
    places, name = _places(value), null_like(city)
    if not places or name is None:
        return None
    return _letters(re.sub(r"\(.*?\)", "", name)) in {_letters(place["place"]) for place in places}


def normalise_province(value: str | None) -> str | None:
    """Two letters of an Italian province, from the letters, the name, or the letters in brackets."""
    text = null_like(value)
    if text is None:
        return None
    short = _PROVINCE.fullmatch(text.upper())
    if short:
        return short[1] if short[1] in tables.provinces() else None
    return _by_name().get(_letters(text))


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    return {_letters(row["name"]): code for code, row in tables.provinces().items()}


def province_region(value: str | None) -> str | None:
    """The region of a province."""
    code = normalise_province(value)
    return tables.provinces()[code]["region"] if code else None
