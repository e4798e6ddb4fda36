"""Street addresses, only as far as comparing two of them needs.

Kinds of street and their short forms follow the list of kinds (*DUG*) of ANNCSU, the national register of streets.
"""

from __future__ import annotations

import re
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
_KIND = re.compile(rf"^({'|'.join(sorted(_KINDS, key=len, reverse=True))})\s+(?=\w\w|\d)")
_NUMBER = re.compile(r"\b(?:(?:n|nr|num|numero|civ|civico)\s+)+(?=\d)")
# Streets of a day: XX Settembre, 20 Settembre.
_MONTH = "gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|dicembre"
_UNITS = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_DAYS = {"x" * (day // 10) + _UNITS[day % 10]: str(day) for day in range(1, 32)} | {"primo": "1"}
_DAY = re.compile(rf"\b({'|'.join(_DAYS)}) (?={_MONTH}\b)")
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
    words = re.sub(r"[^a-z0-9]+", " ", fold(text).replace("'", "")).strip()
    words = _KIND.sub(lambda found: _KINDS[found[1]] + " ", words)
    words = _DAY.sub(lambda found: _DAYS[found[1]] + " ", words)
    words = _NUMBER.sub("", re.sub(r"(\d)([a-z])\b", r"\1 \2", words))
    return null_like(words)


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
