"""The Italian postcode (*CAP*), and the town, province and region that follow from it.

The tables are GeoNames' places with ISTAT's municipalities of today and those that ceased since 2000: see
``data/README.md``.
"""

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


def postcode_state(value: str | None) -> str | None:
    """``current``, ``retired`` (its places have others now) or ``unknown``; ``None`` when it cannot be a postcode."""
    if normalise_postcode(value) is None:
        return None
    places = _places(value)
    if not places:
        return "unknown"
    return "retired" if all(place["old"] == "1" for place in places) else "current"


def postcode_province(value: str | None) -> str | None:
    """Two letters of the province; ``None`` when the postcode is unknown or crosses a border."""
    found = {place["province"] for place in _places(value)}
    return found.pop() if len(found) == 1 else None


def postcode_region(value: str | None) -> str | None:
    """The region; ``None`` when the postcode is unknown or crosses a border."""
    found = _regions(value)
    return found.pop() if len(found) == 1 else None


def _regions(value: str | None) -> set[str]:
    return {tables.provinces()[place["province"]]["region"] for place in _places(value)}


def postcode_city(value: str | None) -> str | None:
    """The town; ``None`` when the postcode is unknown or several towns share it."""
    places = _places(value)
    places = [place for place in places if place["old"] == "0"] or places
    towns = {place["place"] for place in places if place["town"] == "1"} or {place["place"] for place in places}
    return towns.pop() if len(towns) == 1 else None


@lru_cache(maxsize=65_536)
def _letters(name: str) -> str:
    return "".join(c for c in fold(name) if c.isalpha())


def _town(name: str | None) -> str | None:
    """A town's name for comparison: no accents, apostrophes, spaces, nor anything in brackets."""
    text = null_like(name)
    return _letters(re.sub(r"\([^()]*\)", "", text)) or None if text else None


def postcode_has_city(value: str | None, city: str | None) -> bool | None:
    """Whether the place is one of the postcode's; ``None`` when either is unknown: only a contradiction is false.

    - a municipality that took in a place of the postcode counts as there
    """
    places, name = _places(value), _town(city)
    if not places or name is None:
        return None
    names = {_letters(place["place"]) for place in places}
    return name in names or any(
        _letters(_merged().get((_letters(place["place"]), place["province"]), "")) == name for place in places
    )


def postcode_has_province(value: str | None, province: str | None) -> bool | None:
    """Whether the postcode serves the province; ``None`` when either is unknown.

    - provinces of Sardinia were drawn anew in 2005, 2016 and 2025: there the region decides
    """
    places, code = _places(value), normalise_province(province)
    if not places or code is None:
        return None
    region = tables.provinces()[code]["region"]
    return any(place["province"] == code for place in places) or (region == "Sardegna" and region in _regions(value))


@lru_cache(maxsize=1)
def _merged() -> dict[tuple[str, str], str]:
    return {(_letters(row["town"]), row["province"]): row["successor"] for row in tables.rows("merged_towns")}


def town_is_gone(city: str | None, province: str | None) -> bool | None:
    """Whether the municipality was merged into another since 2000; ``None`` when either is unknown."""
    name, code = _town(city), normalise_province(province)
    return None if name is None or code is None else (name, code) in _merged()


def town_successor(city: str | None, province: str | None) -> str | None:
    """The municipality that took in one that is no more; ``None`` when it still is, or the sources leave a doubt."""
    name, code = _town(city), normalise_province(province)
    return None if name is None or code is None else _merged().get((name, code)) or None


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
