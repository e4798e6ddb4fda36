"""Which one record a word on the command line names."""

from __future__ import annotations

from dataclasses import dataclass

from snello.cli.identity.desk import Desk
from snello.cli.why.finding import spellings
from snello.errors import ConfigError

_CUSTOMERS = """
with named as (
    select customer_id from customers where customer_id = $given
    union
    select customer_id from customer_aliases where alias = $given
    union
    select customer_id from customer_identifiers where list_contains($spellings::varchar[], value)
)

select customer_id from named order by customer_id
"""

_NEAREST = """
select name
from (select record as name from records union all select customer_id from customers)
where levenshtein(name, $given) <= 3
order by levenshtein(name, $given), name
limit 1
"""


@dataclass(frozen=True)
class Named:
    """A record, its customer, and all records of that customer that speak of a person."""

    record: str
    customer_id: str
    records: tuple[str, ...]


def named(desk: Desk, given: str) -> Named:
    """The record that ``given`` names: itself, or the first of the one customer whose id or identifier it is.

    Raises ``ConfigError`` when it names nobody, several customers, or a record that is known by an address alone.
    """
    given = given.strip()
    rows = desk.tables.rows("select customer_id, is_person from records where record = $given", {"given": given})
    if rows:
        if not rows[0]["is_person"]:
            what = f"{given} is known by an address alone and goes where the address's only owner goes"
            raise ConfigError("decisions", what, "name a record that speaks of a person")
        return _of(desk, rows[0]["customer_id"], given)
    found = desk.tables.rows(_CUSTOMERS, {"given": given, "spellings": spellings(given)})
    if len(found) > 1:
        ids = ", ".join(row["customer_id"] for row in found[:5])
        raise ConfigError("decisions", f"{len(found)} customers have this identifier", f"name one of them: {ids}")
    if not found:
        near = desk.tables.value(_NEAREST, {"given": given})
        hint = f"did you mean {near!r}? Else " if near else ""
        cure = f"{hint}give source/stream/key, a customer_id, or an identifier of one customer"
        raise ConfigError("decisions", "no record or customer has this name or identifier", cure)
    return _of(desk, found[0]["customer_id"], None)


def _of(desk: Desk, customer: str, record: str | None) -> Named:
    rows = desk.tables.rows(
        "select record from records where customer_id = $customer and is_person order by record", {"customer": customer}
    )
    records = tuple(str(row["record"]) for row in rows)
    if not records:
        what = f"customer {customer} is known by an address alone"
        raise ConfigError("decisions", what, "name a record that speaks of a person")
    return Named(record or records[0], customer, records)
