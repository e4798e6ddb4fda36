"""The Italian tax code (*codice fiscale*) of a person: checked, decoded, and made one where homocody made it two.

Decree of the Minister of Finance of 23 December 1976 (Gazzetta Ufficiale 345 of 29 December 1976).
"""

from __future__ import annotations

import os
import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple, cast

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
FIRST_YEAR = 1876  # a hundred years before the decree


class Person(NamedTuple):
    """What a valid code says, whatever the day; ``canonical`` is the code without homocody.

    A code has two digits of the year: the birth is in 1970 to 2069 (``late_birth_date``), or a century before
    (``early_birth_date``, from 1876 on); ``None`` where there was no such day, or no such birthplace on it.
    """

    code: str
    canonical: str
    late_birth_date: date | None
    early_birth_date: date | None
    sex: str

    @property
    def birth_date(self) -> date:
        """Of two possible births the latest that is not in the future; of which there is one in either century."""
        return self.born_by(today())

    def born_by(self, day: date) -> date:
        """Of two possible births the latest that is not after a day; of which there is one in either century."""
        late, early = self.late_birth_date, self.early_birth_date
        return late if late and (early is None or late <= day) else cast(date, early)

    @property
    def birthplace(self) -> str:
        """The town, or the country for people born abroad, under its name at that birth."""
        return birthplace(self.canonical[11:15], self.birth_date) or ""


def today() -> date:
    """The day that everything is reckoned from: ``SNELLO_TODAY``, else this one."""
    given = os.environ.get("SNELLO_TODAY")
    return date.fromisoformat(given) if given else date.today()


def check_letter(first_fifteen: str) -> str:
    """The sixteenth character that belongs to the first fifteen (upper case)."""
    total = sum(map(_ODD.__getitem__, first_fifteen[0:15:2])) + sum(map(_EVEN.__getitem__, first_fifteen[1:15:2]))
    return chr(65 + total % 26)


def _born(year: int, month: int, day: int, place: str) -> date | None:
    """The date, where there was such a day and the place was one then."""
    try:
        born = date(year, month, day)
    except ValueError:
        return None
    return born if year >= FIRST_YEAR and birthplace(place, born) is not None else None


def decode(value: str | None) -> Person | None:
    """What the code says; ``None`` when it cannot be a person's code."""
    return None if value is None or len(value) > _LONGEST else _decoded(value)


@lru_cache(maxsize=65_536)
def _decoded(value: str) -> Person | None:
    code = _plain(value)
    if not _SHAPE.fullmatch(code) or check_letter(code[:15]) != code[15]:
        return None
    plain = _without_homocody(code)
    year, month, day = int(plain[6:8]), _MONTHS.index(plain[8]) + 1, int(plain[9:11])
    sex, day = ("F", day - 40) if day > 40 else ("M", day)
    late_year = 2000 + year if year < 70 else 1900 + year
    late, early = (_born(each, month, day, plain[11:15]) for each in (late_year, late_year - 100))
    return Person(code, plain, late, early, sex) if late or early else None


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
    """The birth date in the code (``1985-04-12``); of two possible centuries, the latest that is not in the future.

    - ``SNELLO_TODAY``, else this day, tells what is in the future
    - who is over a hundred seems a child: where a birth date is stated too, see ``tax_code_disagrees``
    """
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
