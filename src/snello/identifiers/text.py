"""Text as people and machines leave it: stray characters, and the many ways of writing nothing."""

from __future__ import annotations

import unicodedata

# "NA" and "ND" are absent on purpose: NA is the province of Naples, and both are initials. Numbers are judged by the
# function that knows what the number means.
_NOTHING = frozenset(
    """
    null none nil nan nat void undefined unknown missing empty blank vuoto vuota assente mancante sconosciuto sconosciuta
    n/a n.a. n.a n/d n.d. n.d n/n n.n. #n/a #n/d #null! #ref! #value! #name? \\n (null) <null> [null] {null} "null" 'null'
    nessuno nessuna n.p. n/p tbd t.b.d. "" '' () [] {}
    """.split()
) | {
    "non disponibile",
    "non noto",
    "non nota",
    "non pervenuto",
    "non presente",
    "non specificato",
    "non indicato",
    "da definire",
    "not available",
    "not applicable",
    "not provided",
    "not set",
    "no data",
}
_MARKS = frozenset("-–—_.,;:?!*/\\|#xX'\"` ")


def squash(value: str) -> str:
    """The text in composed Unicode without control or invisible characters, every run of white space one space."""
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in value)
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    return " ".join(value.split())


def null_like(value: str | None) -> str | None:
    """The text, squashed; ``None`` when it is one of the ways of writing nothing (``N/A``, ``-``, ``null``, ``xxx``)."""
    if value is None:
        return None
    text = squash(value)
    if not text or text.lower() in _NOTHING or (_MARKS.issuperset(text) and text not in ("X", "x")):
        return None
    return text


_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ð": "d", "þ": "th", "æ": "ae",
     "Æ": "ae", "œ": "oe", "Œ": "oe", "ı": "i", "’": "'", "‘": "'", "`": "'", "´": "'", "ʼ": "'", "′": "'"}
)  # fmt: skip


def fold(value: str) -> str:
    """The text for comparison: lower case, without accents, typographic apostrophes made plain."""
    if value.isascii():
        return value.lower().replace("`", "'")
    text = unicodedata.normalize("NFKD", value.translate(_LETTERS).casefold())
    return "".join(c for c in text if not unicodedata.combining(c)).translate(_LETTERS)
