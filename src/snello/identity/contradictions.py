"""What no chain of evidence may bridge: marks of two records that cannot belong to one person."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

from snello.identifiers import (
    birth_dates_agree,
    names_agree,
    tax_code_birth_date,
    tax_code_canonical,
    tax_code_sex,
)

KINDS = ("tax_code", "birth_date", "sex", "name")


class Profile(NamedTuple):
    """The marks of one record; a valid tax code says birth date and sex better than the record does."""

    tax_code: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    name: str | None = None


def profile(
    tax_code: str | None = None, birth_date: str | None = None, sex: str | None = None, name: str | None = None
) -> Profile:
    """The marks made comparable; what is not valid says nothing."""
    sex = sex.strip().upper()[:1] if sex else None
    return Profile(
        tax_code_canonical(tax_code),
        tax_code_birth_date(tax_code) or birth_date,
        tax_code_sex(tax_code) or (sex if sex in ("M", "F") else None),
        name,
    )


def contradiction(one: Profile, other: Profile) -> str | None:
    """Why the two cannot be one person; ``None`` when they can.

    - tax codes decide alone where both are known
    - else birth dates that do not agree, given names that do not agree, or different sexes unless the given names agree
    """
    if one.tax_code and other.tax_code:
        return None if one.tax_code == other.tax_code else "tax codes differ"
    if birth_dates_agree(one.birth_date, other.birth_date) is False:
        return "birth dates differ"
    named_alike = names_agree(one.name, other.name)
    if named_alike is False:
        return "given names differ"
    if one.sex and other.sex and one.sex != other.sex and not named_alike:
        return "sexes differ"
    return None


def consistent(profiles: Iterable[Profile]) -> bool:
    """Whether all can be one person."""
    seen: list[Profile] = []
    for one in profiles:
        if any(contradiction(one, other) for other in seen):
            return False
        seen.append(one)
    return True


class Group:
    """The distinct marks of records already held to be one person.

    Records with a tax code are kept apart: among themselves they agree whatever else they say.
    """

    __slots__ = ("coded", "plain", "tax_code")

    def __init__(self, first: Profile) -> None:
        self.tax_code = first.tax_code
        marks = first._replace(tax_code=None)
        self.coded = {marks} if first.tax_code else set()
        self.plain = set() if first.tax_code else {marks}

    def contradicts(self, other: Group) -> str | None:
        """Why no record of this group and no record of the other can be one person, if so."""
        if self.tax_code and other.tax_code and self.tax_code != other.tax_code:
            return "tax codes differ"
        pairs = (
            *product(self.plain, other.plain),
            *product(self.plain, other.coded),
            *product(self.coded, other.plain),
        )
        # The smallest of several reasons: which one is found first depends on the order within the sets.
        return min((why for one, two in pairs if (why := contradiction(one, two))), default=None)

    def absorb(self, other: Group) -> None:
        """Take the other's marks."""
        self.tax_code = self.tax_code or other.tax_code
        self.coded |= other.coded
        self.plain |= other.plain
