"""What no chain of evidence may bridge: which marks of two records cannot belong to one person, as rows of a table."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from snello.errors import ConfigError, choices
from snello.identifiers import (
    birth_dates_agree,
    names_agree,
    names_share,
    tax_code_canonical,
)
from snello.identifiers.tax_code import decode

KINDS = ("tax_code", "birth_date", "sex", "name")
HOWS = {
    "tax_code": ("decoded", "differ"),
    "birth_date": ("exact", "slip"),
    "sex": ("differ", "unless_named_alike"),
    "name": ("unlike",),
}
TAX_CODES, BIRTH_DATES, NAMES, SEXES = "tax codes differ", "birth dates differ", "given names differ", "sexes differ"
APART = "kept apart by decision"
AMBIGUOUS = "could be either of two people"
_SEED = "seeds/identity_contradictions.csv"


@dataclass(frozen=True)
class Contradictions:
    """Which marks contradict, as pairs of kind and how; none contradicts when there is no pair.

    - ``tax_code``: ``differ``, and ``decoded``: the birth date and sex inside a code stand for those that are stated;
      of the two centuries that a code may mean, the stated one
    - ``birth_date``: ``slip`` (apart by more than a slip) or ``exact``
    - ``name``: ``unlike`` (given names known to be different)
    - ``sex``: ``unless_named_alike`` (the given names have a word or a nickname in common) or ``differ``
    - any other kind of identifier: ``differ``; any kind of evidence: ``weak``, a home gives it to all who live there,
      or ``homonym``, strangers of one name may share it: alone it does not join two groups who each have a mailbox that
      bears their name
    """

    rows: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> Contradictions:
        """From rows of kind and how; raises ``ConfigError`` for a word that means nothing and names the nearest."""
        given = frozenset(rows)
        for kind, how in sorted(given):
            if kind not in KINDS and get_close_matches(kind, KINDS, n=1, cutoff=0.75):
                raise ConfigError(_SEED, f"unknown kind {kind!r}; {choices(kind, KINDS)}", "mend the kind")
            hows = HOWS.get(kind, ("differ", "homonym", "weak"))
            if how not in hows:
                raise ConfigError(_SEED, f"kind {kind!r}: unknown how {how!r}; {choices(how, hows)}", "mend the row")
        return cls(given)

    def says(self, kind: str, how: str) -> bool:
        """Whether the table has such a row."""
        return (kind, how) in self.rows

    @property
    def others(self) -> tuple[str, ...]:
        """The kinds of identifier, beside the four that are understood, of which a person has only one value."""
        return tuple(sorted({kind for kind, how in self.rows if how == "differ"} - set(KINDS)))

    @classmethod
    def read(cls, path: Path) -> Contradictions:
        """From the seed, a CSV file; raises ``ConfigError`` for a column or word that is not known."""
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = [name for name in ("kind", "how") if name not in (rows.fieldnames or ())]
            if missing:
                raise ConfigError(_SEED, f"no column {missing[0]!r}", "give it kind, how and description")
            return cls.of((row["kind"], row["how"]) for row in rows)

    @property
    def weak(self) -> dict[str, str]:
        """The kinds of evidence that others share, and who: ``weak`` all who live in a home, ``homonym`` strangers."""
        return {kind: how for kind, how in sorted(self.rows) if how in ("homonym", "weak")}

    @property
    def dates(self) -> bool:
        """Whether birth dates contradict at all."""
        return self.says("birth_date", "slip") or self.says("birth_date", "exact")

    @property
    def sexes(self) -> bool:
        """Whether sexes contradict at all."""
        return self.says("sex", "differ") or self.says("sex", "unless_named_alike")


ITALIAN = Contradictions(
    frozenset(
        {
            ("tax_code", "differ"),
            ("tax_code", "decoded"),
            ("birth_date", "slip"),
            ("name", "unlike"),
            ("sex", "unless_named_alike"),
            ("address", "weak"),
            ("landline", "weak"),
            ("name_birth", "homonym"),
        }
    )
)


class Profile(NamedTuple):
    """The marks of one record that may contradict another's; ``others`` in the order of ``Contradictions.others``."""

    tax_code: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    name: str | None = None
    others: tuple[str | None, ...] = ()


def profile(
    tax_code: str | None = None,
    birth_date: str | None = None,
    sex: str | None = None,
    name: str | None = None,
    *,
    contradictions: Contradictions = ITALIAN,
) -> Profile:
    """The marks made comparable; what is not valid says nothing, and neither does what contradicts nobody."""
    sex = sex.strip().upper()[:1] if sex else None
    if contradictions.says("tax_code", "decoded"):
        person = decode(tax_code)
        if person and not (person.early_birth_date and birth_date == person.early_birth_date.isoformat()):
            birth_date = person.birth_date.isoformat()
        sex = person.sex if person else sex
    return Profile(
        tax_code_canonical(tax_code) if contradictions.says("tax_code", "differ") else None,
        birth_date if contradictions.dates else None,
        sex if sex in ("M", "F") and contradictions.sexes else None,
        name,
    )


def contradiction(one: Profile, other: Profile, contradictions: Contradictions = ITALIAN) -> str | None:
    """Why the two cannot be one person; ``None`` when they can.

    - tax codes decide alone where both are known
    - else another identifier of which a person has one, birth dates, given names, sexes, in this order
    """
    if one.tax_code and other.tax_code:
        return None if one.tax_code == other.tax_code else TAX_CODES
    for kind, left, right in zip(contradictions.others, one.others, other.others, strict=False):
        if left and right and left != right:
            return differ(kind)
    agree = birth_dates_agree(one.birth_date, other.birth_date)
    if agree and contradictions.says("birth_date", "exact"):
        agree = one.birth_date == other.birth_date
    if agree is False:
        return BIRTH_DATES
    alike = names_agree(one.name, other.name)
    if alike is False and contradictions.says("name", "unlike"):
        return NAMES
    if one.sex and other.sex and one.sex != other.sex:
        shared = not contradictions.says("sex", "differ") and names_share(one.name, other.name)
        return None if shared else SEXES
    return None


def differ(kind: str) -> str:
    """The reason for two values of a kind of which a person has only one."""
    return f"{kind} values differ"
