"""Text as people and machines leave it: stray characters, and the many ways of writing nothing."""

from __future__ import annotations

import unicodedata

from snello.identifiers.tables import words

# "NA" and "ND" are not on the list: NA is the province of Naples, and both are initials. Numbers are judged by the
# function that knows what the number means.
_NOTHING = words("nothing")
_MARKS = frozenset("-\u2013\u2014_.,;:?!*/\\|#xX'\"` ")


def squash(value: str) -> str:
    """The text in composed Unicode without control or invisible characters, every run of white space one space."""
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in value)
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    return " ".join(value.split())


def null_like(value: str | None) -> str | None:
    """The text, squashed; ``None`` when it is a way of writing nothing (``N/A``, ``-``, ``null``, ``xxx``)."""
    if value is None:
        return None
    text = squash(value)
    if not text or text.lower() in _NOTHING or (_MARKS.issuperset(text) and text not in ("X", "x")):
        return None
    return text


# Typographic apostrophes, the accents people type for one, and the prime.
APOSTROPHES = str.maketrans("\u2019\u2018\u00b4\u02bc\u2032`", "''''''")
_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ð": "d", "þ": "th", "æ": "ae"}
    | {"Æ": "ae", "œ": "oe", "Œ": "oe", "\u0131": "i"}
)


def fold(value: str) -> str:
    """The text for comparison: lower case, without accents, typographic apostrophes made plain."""
    if value.isascii():
        return value.replace("`", "'").lower()
    plain = value.translate(APOSTROPHES)
    if plain.isascii():
        return plain.lower()
    text = unicodedata.normalize("NFKD", plain.translate(_LETTERS).casefold())
    return "".join(c for c in text if not unicodedata.combining(c)).translate(_LETTERS).translate(APOSTROPHES)
