"""One golden value: its candidates in order, the winner, and the criterion that decided, as a purpose may know them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from snello.cli.tables import Row, Tables
from snello.errors import ConfigError, choices

NEEDED = ("customer_values", "customers_by_purpose", "golden_policies")

_CANDIDATES = """
select
    attribute, value, source, stream, record_key, kind, rule, observed_at, purposes, part, witness, rank, lost_to,
    behind
from customer_values
where customer_id = $customer and part in (select part from customer_values where attribute = $field)
order by rank, witness, attribute
"""

_POLICY = """
select criteria, description from golden_policies where part in ($part, '*') order by part = '*' limit 1
"""


@dataclass(frozen=True)
class Field:
    """A golden value of one customer and why it is what it is.

    - ``value``: as ``purpose`` may know it, as the company does where ``purpose`` is none; none when nobody may tell it
    - ``candidates``: best first, each with ``won``, and ``lost_to``: the criterion that decided against it, or
      ``not for PURPOSE``; none for a figure, which is counted from rows
    - ``criteria``: what decides about the field, the first first
    - ``by_purpose``: the value that each purpose may know
    """

    customer: Row
    field: str
    purpose: str | None
    value: Any
    criteria: tuple[str, ...]
    candidates: list[Row]
    by_purpose: dict[str, Any]


def read(tables: Tables, customer: Any, field: str, purpose: str | None) -> Field:
    """Why ``field`` of ``customer`` is what it is; raises ``ConfigError`` for a field or purpose that there is not."""
    known, views, purposes = _known(tables, customer)
    _check(tables, field, known, purpose, purposes)
    asked = {"customer": customer, "field": field}
    candidates = tables.rows(_CANDIDATES, asked)
    part = candidates[0]["part"] if candidates else field
    criteria = _criteria(tables, part)
    judged = [row for row in _judged(candidates, purpose, criteria) if row["attribute"] == field]
    by_purpose = {view["purpose"]: _seen(view, field, candidates) for view in views}
    return Field(
        customer=known,
        field=field,
        purpose=purpose,
        value=by_purpose.get(purpose) if purpose else _golden(known, field, judged),
        criteria=criteria if candidates else (),
        candidates=judged,
        by_purpose=by_purpose,
    )


def _known(tables: Tables, customer: Any) -> tuple[Row, list[Row], list[str]]:
    asked = {"customer": customer}
    [known] = tables.rows("select * from customers where customer_id = $customer", asked)
    views = tables.rows("select * from customers_by_purpose where customer_id = $customer order by purpose", asked)
    purposes = tables.rows("select distinct purpose from customers_by_purpose order by purpose")
    return known, views, [row["purpose"] for row in purposes]


def _check(tables: Tables, field: str, known: Row, purpose: str | None, purposes: list[str]) -> None:
    said = {row["attribute"] for row in tables.rows("select distinct attribute from customer_values")}
    fields = said | (set(known) - {"customer_id"})
    if field not in fields:
        raise ConfigError("why", f"no field {field!r}", choices(field, fields))
    if purpose is not None and purpose not in purposes:
        raise ConfigError("why --purpose", f"no purpose {purpose!r}", choices(purpose, purposes))


def _criteria(tables: Tables, part: str) -> tuple[str, ...]:
    policies = tables.rows(_POLICY, {"part": part})
    return tuple(word.strip() for word in policies[0]["criteria"].split(",")) if policies else ()


def _golden(known: Row, field: str, judged: list[Row]) -> Any:
    if field in known:
        return known[field]
    return next((row["value"] for row in judged if row["won"]), None)


def _seen(view: Row, field: str, candidates: list[Row]) -> Any:
    """The value that a purpose sees: its column, or the best candidate of an attribute that has no column."""
    if field in view:
        return view[field]
    own = [row for row in candidates if row["attribute"] == field and permits(row, view["purpose"])]
    return next((row["value"] for row in own if _stands(row)), None)


def permits(row: Row, purpose: str) -> bool:
    """Whether the source of a candidate may serve a purpose."""
    return purpose in (word.strip() for word in row["purposes"].split(","))


def _stands(row: Row) -> bool:
    return bool(row["lost_to"] != "max_age_days")


def _judged(candidates: list[Row], purpose: str | None, criteria: tuple[str, ...]) -> Iterator[Row]:
    """Each candidate with ``won`` and ``lost_to``, among those that ``purpose`` may know."""
    eligible = [row for row in candidates if _stands(row) and (purpose is None or permits(row, purpose))]
    # A name or an address comes whole from its best witness, so the winner of each attribute is among that one's.
    best = min((row["witness"] for row in eligible), default=0)
    winners: dict[str, Row] = {}
    for row in eligible:
        if row["witness"] == best:
            winners.setdefault(row["attribute"], row)
    for row in candidates:
        winner = winners.get(row["attribute"])
        if row is winner:
            yield row | {"won": True, "lost_to": None}
        elif purpose is not None and not permits(row, purpose):
            yield row | {"won": False, "lost_to": f"not for {purpose}"}
        elif not _stands(row):
            yield row | {"won": False}
        elif winner is not None and row["value"] == winner["value"]:
            yield row | {"won": False, "lost_to": "same value"}
        else:
            yield row | {"won": False, "lost_to": _decisive(candidates, best, row["witness"], criteria)}


def _decisive(candidates: list[Row], winner: int, loser: int, criteria: tuple[str, ...]) -> str:
    """The criterion between two witnesses: the first of all by which one between them stands behind the one before."""
    if winner == loser:
        return "validity"
    between = {row["behind"] for row in candidates if winner < row["witness"] <= loser}
    return next((word for word in criteria if word in between), "record")
