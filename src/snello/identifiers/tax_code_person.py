"""The tax code against the person that carries it: the first eleven characters follow from personal data.

Decree of the Minister of Finance of 23 December 1976: three letters of the surname, three of the given name, then year,
month and day of birth, the day raised by forty for women.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from snello.identifiers.name import fold_name
from snello.identifiers.tables import birthplace
from snello.identifiers.tax_code import decode

_VOWELS = frozenset("AEIOU")
_MOST = 8  # words of a name that are looked at


def _three(letters: str, is_given: bool) -> str:
    """Consonants, then vowels, then X; of four or more consonants of a given name the second is left out."""
    consonants = "".join(c for c in letters if c not in _VOWELS)
    if is_given and len(consonants) > 3:
        return consonants[0] + consonants[2:4]
    return (consonants + "".join(c for c in letters if c in _VOWELS) + "XXX")[:3]


@lru_cache(maxsize=65_536)
def _words(name: str | None) -> tuple[str, ...]:
    """The words of a name in plain capitals; none when there is a letter that the code cannot say."""
    folded = (fold_name(name) or "").upper()
    return tuple(folded.split()[:_MOST]) if folded.replace(" ", "").isascii() else ()


@lru_cache(maxsize=65_536)
def _codes(words: tuple[str, ...], is_given: bool) -> frozenset[str]:
    """The letters of the whole name, and of the words left when others were added or left out."""
    parts = {words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    return frozenset(_three("".join(part), is_given) for part in parts)


def tax_code_letters(first: str | None, last: str | None) -> str | None:
    """The six letters with which a person's code begins; ``None`` when either name is missing or in another script."""
    given, family = _words(first), _words(last)
    return _three("".join(family), False) + _three("".join(given), True) if given and family else None


def tax_code_disagrees(
    value: str | None, first: str | None, last: str | None, birth_date: str | None, sex: str | None
) -> str | None:
    """What in a record its own valid tax code contradicts, as words between commas; ``None`` when nothing does.

    - parts: ``surname``, ``given name``, ``birth date``, ``century of birth``, ``sex``
    - what is missing contradicts nothing
    - halves of a name in each other's place, and further given names or surnames left out, contradict nothing
    - ``century of birth``: the stated year ends alike, and the birthplace did not exist or was no more in that year
    """
    person = decode(value)
    if person is None:
        return None
    parts = _wrong_names(person.canonical, _words(first), _words(last))
    born = _date(birth_date)
    if born is not None and born not in (person.late_birth_date, person.early_birth_date):
        if born.isoformat()[2:] != person.birth_date.isoformat()[2:]:
            parts.append("birth date")
        elif birthplace(person.canonical[11:15], born) is None:
            parts.append("century of birth")
    stated = (sex or "").strip().upper()
    if stated in ("M", "F") and stated != person.sex:
        parts.append("sex")
    return ", ".join(parts) or None


def _wrong_names(code: str, given: tuple[str, ...], family: tuple[str, ...]) -> list[str]:
    first, last = code[3:6], code[:3]
    if given and family and last in _codes(given, False) and first in _codes(family, True):
        return []
    wrong = ["surname"] if family and last not in _codes(family, False) else []
    return [*wrong, "given name"] if given and first not in _codes(given, True) else wrong


def _date(value: str | None) -> date | None:
    try:
        return date.fromisoformat((value or "")[:10])
    except ValueError:
        return None


def tax_code_agrees(
    value: str | None, first: str | None, last: str | None, birth_date: str | None, sex: str | None
) -> bool | None:
    """Whether a record and its valid tax code can be one person's; ``None`` when the record says nothing to compare."""
    said = _words(first) or _words(last) or _date(birth_date) or (sex or "").strip().upper() in ("M", "F")
    if decode(value) is None or not said:
        return None
    return tax_code_disagrees(value, first, last, birth_date, sex) is None
