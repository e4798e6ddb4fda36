"""The review queue: pairs that neither rules nor likelihood could settle, with both records side by side."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import SequenceMatcher

from snello.cli.identity.desk import Desk
from snello.errors import ConfigError, choices
from snello.identifiers import birth_dates_agree
from snello.identity.decisions import Pair, in_force, pair

TABLE = "identity_review"
_CLOSE = 0.75  # share of letters in common from which two values are worth a second look

_OPEN = f"""
select
    review.left_record, review.right_record, review.probability, review.reason, review.evidence,
    lefts.customer_id as left_customer, rights.customer_id as right_customer
from {TABLE} as review
inner join records as lefts on review.left_record = lefts.record
inner join records as rights on review.right_record = rights.record
where lefts.customer_id <> rights.customer_id
"""

_SIZES = "select customer_id, count(*) as records from records where is_person group by customer_id"

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
    """A pair to decide on; ``moves`` is how many records would change customer."""

    pair: str
    left_record: str
    right_record: str
    left_customer: str
    right_customer: str
    probability: float | None
    reason: str
    evidence: str | None
    moves: int
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
    """Every pair that is still open: those that move most first, those that somebody skipped last."""
    sizes = {row["customer_id"]: row["records"] for row in desk.tables.rows(_SIZES)}
    skips = {word.pair: word.author for word in desk.said if word.verb == "skip"}
    settled = settlements(desk)
    cases = []
    for row in desk.tables.rows(_OPEN):
        known = pair(row["left_record"], row["right_record"])
        if pair(row["left_customer"], row["right_customer"]) in settled:
            continue
        moves = min(sizes.get(row["left_customer"], 1), sizes.get(row["right_customer"], 1))
        cases.append(Case(pair=name(known), moves=moves, skipped_by=skips.get(known), **row))
    return sorted(
        cases, key=lambda case: (case.skipped_by is not None, -case.moves, -(case.probability or 0), case.pair)
    )


def name(records: Pair) -> str:
    """A short name of a pair, always the same."""
    return f"p{hashlib.blake2b('|'.join(pair(*records)).encode(), digest_size=4).hexdigest()}"


def settlements(desk: Desk) -> set[Pair]:
    """Pairs of customers between which a decision was made, also one that no run has applied yet."""
    force = list(in_force(desk.said))
    records = sorted({record for about in force for record in about})
    rows = desk.tables.rows(
        "select record, customer_id from records where list_contains($records::varchar[], record)", {"records": records}
    )
    of = {row["record"]: row["customer_id"] for row in rows}
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
        Case(**vars(case) | {"fields": _fields(said.get(case.left_record, {}), said.get(case.right_record, {}))})
        for case in cases
    ]


def _fields(left: dict[str, str], right: dict[str, str]) -> tuple[Field, ...]:
    every = sorted({*left, *right})
    made = [Field(one, left.get(one), right.get(one), _verdict(one, left.get(one), right.get(one))) for one in every]
    order = ("same", "close", "differs", "missing")
    return tuple(sorted(made, key=lambda field: order.index(field.verdict)))


def _verdict(attribute: str, left: str | None, right: str | None) -> str:
    if left is None or right is None:
        return "missing"
    one, other = left.casefold(), right.casefold()
    if one == other:
        return "same"
    if attribute == "birth_date":
        return "close" if birth_dates_agree(left, right) else "differs"
    return "close" if SequenceMatcher(None, one, other).ratio() >= _CLOSE else "differs"
