"""Street addresses, only as far as comparing two of them needs."""

from __future__ import annotations

import re
from functools import lru_cache

from snello.identifiers.text import fold, null_like

_KINDS = {
    short: kind
    for kind, shorts in {
        "via": ("v",),
        "viale": ("vle", "v le"),
        "piazza": ("p", "pza", "pzza", "p za", "p zza"),
        "piazzale": ("ple", "pzle", "p le"),
        "corso": ("c", "cso", "c so"),
        "largo": ("lgo", "l go"),
        "strada": ("str",),
        "localita": ("loc",),
        "frazione": ("fraz",),
        "vicolo": ("vic", "vlo"),
        "contrada": ("ctr", "cda", "c da"),
    }.items()
    for short in shorts
}
_KIND = re.compile(rf"^({'|'.join(sorted(_KINDS, key=len, reverse=True))})\s+(?=\w\w)")
_NUMBER = re.compile(r"\b(?:(?:n|nr|num|numero|civ|civico)\s+)+(?=\d)")


@lru_cache(maxsize=65_536)
def street_key(value: str | None) -> str | None:
    """The street and number without spelling: ``V.le Monza, n. 12/A`` → ``viale monza 12 a``; ``None`` for nothing."""
    text = null_like(value)
    if text is None:
        return None
    words = re.sub(r"[^a-z0-9]+", " ", fold(text).replace("'", "")).strip()
    words = _KIND.sub(lambda found: _KINDS[found[1]] + " ", words)
    words = _NUMBER.sub("", re.sub(r"(\d)([a-z])\b", r"\1 \2", words))
    return null_like(words)
