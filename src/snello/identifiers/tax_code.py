"""The Italian tax code (*codice fiscale*) of a person: checked, decoded, and made one where homocody made it two.

Decree of the Minister of Finance of 23 December 1976 (Gazzetta Ufficiale 345 of 29 December 1976).
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from snello.identifiers.tables import birthplace
from snello.identifiers.text import null_like

_HOMOCODY = "LMNPQRSTUV"
_DIGIT = f"[0-9{_HOMOCODY}]"
_SHAPE = re.compile(rf"[A-Z]{{6}}{_DIGIT}{{2}}[ABCDEHLMPRST]{_DIGIT}{{2}}[A-Z]{_DIGIT}{{3}}[A-Z]")
_DIGIT_PLACES = (6, 7, 9, 10, 12, 13, 14)
_TO_DIGITS = str.maketrans(_HOMOCODY, "0123456789")
_MONTHS = "ABCDEHLMPRST"
_LETTER_WEIGHTS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_EVEN = {c: int(c, 36) - (10 if c.isalpha() else 0) for c in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_ODD = {c: _LETTER_WEIGHTS[value] for c, value in _EVEN.items()}  # a digit weighs what the letter of its rank does
_NOISE = re.compile(r"[^A-Z0-9]")
_LONGEST = 100


class Person(NamedTuple):
    """What a valid code says; ``canonical`` is the code without homocody."""

    code: str
    canonical: str
    birth_date: date
    sex: str
    birthplace: str


def check_letter(first_fifteen: str) -> str:
    """The sixteenth character that belongs to the first fifteen (upper case)."""
    total = sum(map(_ODD.__getitem__, first_fifteen[0:15:2])) + sum(map(_EVEN.__getitem__, first_fifteen[1:15:2]))
    return chr(65 + total % 26)


def _birth(digits: str, month: int) -> tuple[date, str, str] | None:
    """Date, sex and birthplace of the canonical digits; the latest century in which all three were possible."""
    day, sex = int(digits[2:4]), "M"
    if day > 40:
        day, sex = day - 40, "F"
    today = date.today()
    first = today.year - today.year % 100 + int(digits[:2])
    for year in (first, first - 100, first - 200):
        try:
            born = date(year, month, day)
        except ValueError:
            continue
        place = birthplace(digits[4:], born) if born <= today and year > today.year - 150 else None
        if place is not None:
            return born, sex, place
    return None


def decode(value: str | None) -> Person | None:
    """What the code says; ``None`` when it cannot be a person's code."""
    return None if value is None or len(value) > _LONGEST else _decoded(value)


@lru_cache(maxsize=65_536)
def _decoded(value: str) -> Person | None:
    code = _plain(value)
    if not _SHAPE.fullmatch(code) or check_letter(code[:15]) != code[15]:
        return None
    plain = _without_homocody(code)
    birth = _birth(plain[6:8] + plain[9:11] + plain[11:15], _MONTHS.index(plain[8]) + 1)
    if birth is None:
        return None
    born, sex, place = birth
    return Person(code, plain, born, sex, place)


def _plain(value: str) -> str:
    code = value.upper()
    return code if len(code) == 16 and code.isalnum() else _NOISE.sub("", code)


def tax_code_fault(value: str | None) -> str | None:
    """Why a code is none: ``shape``, ``check character`` or ``birth`` (no such day, or no such place on that day).

    ``None`` for a valid code, and for nothing.
    """
    text = null_like(value[:_LONGEST]) if value is not None else None
    if text is None or decode(value) is not None:
        return None
    code = _plain(text)
    if not _SHAPE.fullmatch(code):
        return "shape"
    return "birth" if check_letter(code[:15]) == code[15] else "check character"


def _without_homocody(code: str) -> str:
    if code[6:8].isdigit() and code[9:11].isdigit() and code[12:15].isdigit():
        return code
    letters = list(code[:15])
    for index in _DIGIT_PLACES:
        letters[index] = letters[index].translate(_TO_DIGITS)
    plain = "".join(letters)
    return code if plain == code[:15] else plain + check_letter(plain)


def normalise_tax_code(value: str | None) -> str | None:
    """The valid code in upper case, homocody kept; ``None`` when it cannot be a person's code."""
    person = decode(value)
    return person and person.code


def tax_code_canonical(value: str | None) -> str | None:
    """The code that all homocody variants of one code share: compare people by this one."""
    person = decode(value)
    return person and person.canonical


def tax_code_birth_date(value: str | None) -> str | None:
    """The birth date in the code (``1985-04-12``); of two possible centuries, the latest that is not in the future."""
    person = decode(value)
    return person and person.birth_date.isoformat()


def tax_code_sex(value: str | None) -> str | None:
    """``M`` or ``F``, as the code says."""
    person = decode(value)
    return person and person.sex


def tax_code_birthplace(value: str | None) -> str | None:
    """The town, or the country for people born abroad, under its name at the date of birth."""
    person = decode(value)
    return person and person.birthplace
