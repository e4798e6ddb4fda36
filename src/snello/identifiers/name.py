"""Names of people: one spelling to show, one key to compare, and which half is the surname."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from snello.identifiers import tables
from snello.identifiers.text import APOSTROPHES, fold, null_like

_LONGEST = 200
_SIGNS = frozenset("\u2122\u00ae\u00a9\u00b0")  # trade marks and the degree are no emoji
_TITLES, _PARTICLES = tables.words("title"), tables.words("particle")
_STAND_INS = tables.words("name_stand_in")
_READ_ANEW = _TITLES | _STAND_INS
_ACCENTED = dict(zip("aeiouAEIOU", "àèìòùÀÈÌÒÙ", strict=True))
_FINAL_APOSTROPHE = re.compile(r"(?<=\w)[aeiouAEIOU]'(?=[\s-]|$)")
_JOINED = re.compile(r"\b(d|dell|dall|nell|sant|o)' +(?=\w)", re.IGNORECASE)
_FOLDED = re.compile(r"[a-z]+(?: [a-z]+)*")
_WORD = re.compile(r"[^\s'.,-]+")


def normalise_name(value: str | None) -> str | None:
    """The name as one would print it: ``DE LUCA`` → ``De Luca``, ``NICOLO'`` → ``Nicolò``, ``Sig. rossi`` → ``Rossi``.

    - inner capitals of a word in mixed case stay (``McDonald``)
    - emoji, digits and signs fall away; letters of every script stay, in the order in which they are written
    - at most 200 characters are looked at: more is a text in the wrong field
    - ``None`` when there is no letter in it, or when it was typed to get past a form (``Test test``, ``Cliente``)
    """
    return None if value is None else _printed(value[:_LONGEST])


@lru_cache(maxsize=65_536)
def _printed(value: str) -> str | None:
    text = null_like(value)
    if text is None or "@" in text or all(_says_nothing(word) for word in text.split()):
        return None
    if not (text.isascii() and text.replace(" ", "").isalpha()):
        text = unicodedata.normalize("NFKC", text.translate(APOSTROPHES)).translate(APOSTROPHES)
        text = "".join(c if _in_names(c) else " " for c in text)
    words = [word for word in text.replace(",", " ").split() if any(c.isalpha() for c in word)]
    while len(words) > 1 and words[0].lower().replace(".", "").replace("'", "") in _TITLES:
        words.pop(0)
    text = " ".join(word.strip(".-") for word in words)
    text = _FINAL_APOSTROPHE.sub(lambda found: _ACCENTED[found[0][0]], text)
    text = _JOINED.sub(lambda found: found[0].rstrip(), text).strip("' .-")
    return null_like(_WORD.sub(lambda word: _cased(word[0]), text))


def _says_nothing(word: str) -> bool:
    return word.strip(".,'-").lower() in _STAND_INS or null_like(word) is None


def _in_names(c: str) -> bool:
    return c.isalpha() or c in " '.,-" or unicodedata.category(c)[0] == "M"


def _cased(word: str) -> str:
    first, rest = word[:1].title(), word[1:]
    return first + (rest.lower() if (first + rest).isupper() else rest)


def fold_name(value: str | None) -> str | None:
    """The name for comparison: lower case, no accents, no apostrophes; hyphens as spaces (``dangelo``)."""
    return None if value is None else _folded(value[:_LONGEST])


def _folded(value: str) -> str | None:
    # What is folded already is by far the most of what is asked: pairs are compared by their keys.
    if _FOLDED.fullmatch(value) and value.partition(" ")[0] not in _READ_ANEW:
        return null_like(value)
    return _folded_anew(value)


@lru_cache(maxsize=65_536)
def _folded_anew(value: str) -> str | None:
    name = _printed(value)
    if name is None:
        return None
    words = fold(name).replace("'", "").replace(".", " ").replace("-", " ").split()
    # Without its accents a word may turn out to be a title, or nobody's name.
    while len(words) > 1 and words[0] in _TITLES:
        words.pop(0)
    return None if all(word in _STAND_INS for word in words) else " ".join(words)


def name_tokens(folded: str) -> list[str]:
    """The words of a folded name, each particle joined to what follows: people write ``De Luca`` and ``Deluca``."""
    tokens: list[str] = []
    held = ""
    for word in folded.split():
        held += word
        if word not in _PARTICLES:
            tokens.append(held)
            held = ""
    return [*tokens, held] if held else tokens


def name_key(value: str | None) -> str | None:
    """A full name without its order: ``De Luca Mario`` and ``Mario Deluca`` have one key, ``deluca mario``."""
    return None if value is None else _key(value[:_LONGEST])


@lru_cache(maxsize=65_536)
def _key(value: str) -> str | None:
    before, key = None, _folded(value)
    while key is not None and key != before:
        # Sorting may bring a particle or a title in front: once more, so that the key of a key is the key.
        before, key = key, fold_name(" ".join(sorted(name_tokens(key))))
    return key


def _groups(full: str) -> list[str]:
    """The words as written, particles together with their name."""
    groups: list[str] = []
    held: list[str] = []
    for word in full.split():
        held.append(word)
        if (fold(word).rstrip("'")) not in _PARTICLES:
            groups.append(" ".join(held))
            held = []
    return [*groups, " ".join(held)] if held else groups


def split_name(full: str | None) -> tuple[str | None, str | None]:
    """First and last name of a full name in either order.

    - a comma separates ``Last, First``
    - else the half that is a known Italian given name is the first name; when both or neither is, the first word is
    - one word alone is a last name
    """
    return (None, None) if full is None else _split(full[:_LONGEST])


@lru_cache(maxsize=65_536)
def _split(full: str) -> tuple[str | None, str | None]:
    text = null_like(full)
    if text is not None and text.count(",") == 1:
        last, _, first = text.partition(",")
        return normalise_name(first), normalise_name(last)
    name = normalise_name(text)
    groups = _groups(name) if name else []
    if len(groups) < 2:
        return None, name
    given = [fold(group) in tables.given_names() for group in groups]
    leading = next((i for i, known in enumerate(given) if not known), len(given))
    trailing = next((i for i, known in enumerate(reversed(given)) if not known), len(given))
    if trailing and not leading:
        cut = len(groups) - trailing
        return " ".join(groups[cut:]), " ".join(groups[:cut])
    cut = min(max(leading, 1), len(groups) - 1)
    return " ".join(groups[:cut]), " ".join(groups[cut:])


def split_first_name(full: str | None) -> str | None:
    """The first name in a full name: see ``split_name``."""
    return split_name(full)[0]


def split_last_name(full: str | None) -> str | None:
    """The last name in a full name: see ``split_name``."""
    return split_name(full)[1]


def name_oddity(value: str | None) -> str | None:
    """What is strange in the way a name is written: ``too long``, ``emoji``, ``digits`` or ``right to left``.

    - ``None`` when nothing is, or when it is a way of writing nothing; of several, the first
    """
    if value is None or (value.isascii() and value.replace(" ", "").isalpha() and len(value) <= _LONGEST):
        return None
    if len(value) > _LONGEST:
        return "too long"
    text = null_like(value)
    if text is None:
        return None
    if any(unicodedata.category(c) == "So" and c not in _SIGNS for c in text):
        return "emoji"
    if any(c.isdigit() for c in text):
        return "digits"
    return "right to left" if any(unicodedata.bidirectional(c) in ("R", "AL") for c in text) else None
