"""Street addresses, only as far as comparing two of them needs.

Kinds of street and their short forms follow the list of kinds (*DUG*) of ANNCSU, the national register of streets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from snello.identifiers.text import fold, null_like

_LONGEST = 300
_KINDS = {
    short: kind
    for kind, shorts in {
        "via": ("v",),
        "viale": ("vle", "v le"),
        "piazza": ("p", "pza", "pzza", "p za", "p zza"),
        "piazzale": ("ple", "pzle", "p le"),
        "piazzetta": ("pzetta", "pzta"),
        "corso": ("c", "cso", "c so"),
        "largo": ("lgo", "l go"),
        "lungomare": ("lmare", "l mare"),
        "strada": ("str",),
        "strada provinciale": ("sp", "s p"),
        "strada statale": ("ss", "s s"),
        "localita": ("loc",),
        "frazione": ("fraz", "fr"),
        "borgo": ("bgo", "b go"),
        "vicolo": ("vic", "vlo"),
        "contrada": ("ctr", "cda", "c da"),
        "traversa": ("trav",),
    }.items()
    for short in shorts
}
_NUMBER = frozenset({"n", "nr", "num", "numero", "civ", "civico"})
# Streets of a day: XX Settembre, 20 Settembre.
_FIRST_HALF = ("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno")
_SECOND_HALF = ("luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre")
_MONTHS = frozenset({*_FIRST_HALF, *_SECOND_HALF})
_UNITS = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_DAYS = {"x" * (day // 10) + _UNITS[day % 10]: str(day) for day in range(1, 32)} | {"primo": "1"}
_NOISE = re.compile(r"[^a-z0-9]+")
_CIVIC = re.compile(
    r"(?P<street>.*?[a-z].*?) (?P<number>[0-9]{1,4}(?: (?:bis|ter|quater|[a-z]))?)(?: [0-9]{1,4})?"
    r"(?: (?:scala|sc|interno|int|piano|pal|palazzina|palazzo|edificio|ed|lotto|presso|c o)\b.*)?"
)
_ROAD = re.compile(r".*\b(?:strada (?:statale|provinciale|regionale|comunale)|ss|sp|sr|km|autostrada|lotto)")


def street_key(value: str | None) -> str | None:
    """The street and number without spelling: ``V.le Monza, n. 12/A`` → ``viale monza 12 a``; ``None`` for nothing."""
    return None if value is None else _key(value[:_LONGEST])


@lru_cache(maxsize=65_536)
def _key(value: str) -> str | None:
    text = null_like(value)
    if text is None:
        return None
    words = _NOISE.sub(" ", fold(text).replace("'", "")).split()
    return null_like(" ".join(_without_number_words(_days(_apart(_kind(words))))))


def _kind(words: list[str]) -> list[str]:
    """The kind of street in full: ``v le monza`` → ``viale monza``."""
    for size in (2, 1):
        kind = _KINDS.get(" ".join(words[:size]))
        if kind and len(words) > size and (len(words[size]) > 1 or words[size].isdigit()):
            return [*kind.split(" "), *words[size:]]
    return words


def _apart(words: list[str]) -> Iterator[str]:
    """``12a`` → ``12 a``."""
    for word in words:
        if len(word) > 1 and word[-1].isalpha() and word[-2].isdigit():
            yield word[:-1]
            yield word[-1]
        else:
            yield word


def _days(words: Iterable[str]) -> Iterator[str]:
    """``xx settembre`` → ``20 settembre``."""
    held = None
    for word in words:
        if held is not None:
            yield _DAYS.get(held, held) if word in _MONTHS else held
        held = word
    if held is not None:
        yield held


def _without_number_words(words: Iterable[str]) -> Iterator[str]:
    """``roma n 12`` → ``roma 12``."""
    held: list[str] = []
    for word in words:
        if word in _NUMBER:
            held.append(word)
            continue
        if not word[0].isdigit():
            yield from held
        held.clear()
        yield word
    yield from held


@lru_cache(maxsize=65_536)
def _parts(key: str) -> tuple[str | None, str | None]:
    found = _CIVIC.fullmatch(key)
    if not found or _ROAD.fullmatch(found["street"]):
        return null_like(re.sub(r" (?:snc|sn|s n c)$", "", key)), None
    return null_like(found["street"]), found["number"]


def street_name(value: str | None) -> str | None:
    """The street alone, as ``street_key`` spells it: ``V.le Monza, 12/A int. 3`` → ``viale monza``."""
    key = street_key(value)
    return None if key is None else _parts(key)[0]


def street_number(value: str | None) -> str | None:
    """The civic number alone (``12 a``); a day (``Via 4 Novembre``) or a road (``SS 16``) is none."""
    key = street_key(value)
    return None if key is None else _parts(key)[1]
