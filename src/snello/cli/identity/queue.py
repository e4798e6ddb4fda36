"""The review queue: customers of whom neither rules nor likelihood could tell, with both records side by side."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from snello.cli.identity.desk import Desk
from snello.errors import ConfigError, choices
from snello.identifiers import birth_dates_agree
from snello.identity.decisions import Pair, in_force, pair

TABLE = "identity_review"
_HALVES = ("first_name", "last_name")
_ORDER = (*_HALVES, "birth_date", "sex", "tax_code", "email", "phone", "street", "postcode", "city")
_CLOSE = 0.75  # share of letters in common from which two values are worth a second look

_OPEN = f"""
select
    left_record, right_record, left_customer, right_customer, probability, reason, contradiction, pairs, moves, worth,
    evidence
from {TABLE}
"""

_SAID = """
select source || '/' || stream || '/' || record_key as record, attribute, value
from customer_values
where list_contains($records::varchar[], source || '/' || stream || '/' || record_key)
    and attribute <> 'lifecycle_stage'
order by attribute, record, kind = 'derived', value desc
"""


@dataclass(frozen=True)
class Field:
    """One attribute of both records: ``same``, ``close``, ``differs``, or ``missing`` on one side."""

    attribute: str
    left: str | None
    right: str | None
    verdict: str


@dataclass(frozen=True)
class Case:
    """Two customers to decide on, by their strongest pair of records.

    - ``pairs``: how many pairs of records between them ask; ``moves``: how many records a yes would move
    - ``worth``: what deciding is worth; ``contradiction``: why the two cannot be made one as they are
    """

    pair: str
    left_record: str
    right_record: str
    left_customer: str
    right_customer: str
    probability: float
    reason: str
    contradiction: str | None
    pairs: int
    moves: int
    worth: float
    evidence: str | None
    skipped_by: str | None
    fields: tuple[Field, ...] = ()

    @property
    def records(self) -> Pair:
        """The two records."""
        return pair(self.left_record, self.right_record)

    @property
    def customers(self) -> Pair:
        """The two customers."""
        return pair(self.left_customer, self.right_customer)


def waiting(desk: Desk) -> list[Case]:
    """Every question that is still open: those worth most first, those that somebody skipped last."""
    skips = {word.pair: word.author for word in desk.said if word.verb == "skip"}
    settled = settlements(desk)
    cases = []
    for row in desk.tables.rows(_OPEN):
        known = pair(row["left_record"], row["right_record"])
        if pair(row["left_customer"], row["right_customer"]) not in settled:
            cases.append(Case(pair=name(known), skipped_by=skips.get(known), **row))
    return sorted(cases, key=lambda case: (case.skipped_by is not None, -case.worth, case.pair))


def name(records: Pair) -> str:
    """A short name of a pair, always the same."""
    return f"p{hashlib.blake2b('|'.join(pair(*records)).encode(), digest_size=4).hexdigest()}"


def settlements(desk: Desk) -> set[Pair]:
    """Pairs of customers between which a decision was made, also one that no run has applied yet."""
    force = list(in_force(desk.said))
    of = desk.customers(record for about in force for record in about)
    return {pair(of[one], of[other]) for one, other in force if one in of and other in of}


def found(desk: Desk, given: str) -> Case:
    """The open case of that name; raises ``ConfigError`` with the nearest one when there is none."""
    cases = {case.pair: case for case in waiting(desk)}
    if given not in cases:
        near = choices(given, list(cases)[:10]) if cases else "nothing is waiting"
        raise ConfigError("review", f"no open pair {given!r}", near)
    return cases[given]


def beside(desk: Desk, cases: list[Case]) -> list[Case]:
    """The cases with the fields of both records."""
    records = sorted({record for case in cases for record in case.records})
    said: dict[str, dict[str, str]] = {}
    for row in desk.tables.rows(_SAID, {"records": records}):
        said.setdefault(row["record"], {}).setdefault(row["attribute"], row["value"])
    return [
        replace(case, fields=_fields(said.get(case.left_record, {}), said.get(case.right_record, {}))) for case in cases
    ]


def _fields(left: dict[str, str], right: dict[str, str]) -> tuple[Field, ...]:
    every = sorted({*left, *right}, key=lambda one: (_ORDER.index(one) if one in _ORDER else len(_ORDER), one))
    made = [Field(one, left.get(one), right.get(one), _verdict(one, left.get(one), right.get(one))) for one in every]
    if _exchanged(left, right):
        made = [replace(field, verdict="close") if field.attribute in _HALVES else field for field in made]
    order = ("same", "close", "differs", "missing")
    return tuple(sorted(made, key=lambda field: order.index(field.verdict)))


def _exchanged(left: dict[str, str], right: dict[str, str]) -> bool:
    mine, theirs = ([said.get(half, "").casefold() for half in _HALVES] for said in (left, right))
    return all(mine) and mine != theirs and mine == theirs[::-1]


def _verdict(attribute: str, left: str | None, right: str | None) -> str:
    if left is None or right is None:
        return "missing"
    one, other = left.casefold(), right.casefold()
    if one == other:
        return "same"
    if attribute == "birth_date":
        return "close" if birth_dates_agree(left, right) else "differs"
    return "close" if SequenceMatcher(None, one, other).ratio() >= _CLOSE else "differs"
