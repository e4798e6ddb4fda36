"""Whom a word on the command line names: customers, identifiers that are theirs, source rows that speak of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from snello import identifiers
from snello.activation.tombstones import forms
from snello.cli.subject.patterns import matched
from snello.cli.tables import Tables
from snello.cli.why import finding
from snello.errors import ConfigError
from snello.lake import Lake

Record = tuple[str, str, str]  # source, stream, key

_IDS = """
select customer_id as id from customers where customer_id = $customer
union all
select distinct alias from customer_aliases where customer_id = $customer
"""
_IDENTIFIERS = """
select mine.kind, mine.value,
    not exists (
        select 1 from customer_identifiers as theirs
        where theirs.kind = mine.kind and theirs.value = mine.value and theirs.customer_id <> $customer
    ) as alone
from customer_identifiers as mine
where mine.customer_id = $customer
order by mine.kind, mine.value
"""
_READERS = {
    "email": identifiers.normalise_email,
    "phone": lambda given: identifiers.normalise_phone(given, "IT"),
    "tax_code": identifiers.normalise_tax_code,
    "card": identifiers.normalise_card,
}


@dataclass(frozen=True, order=True)
class Identifier:
    """What names a person; ``alone``: nobody else bears it, so it may speak for them."""

    kind: str
    value: str
    alone: bool = True


@dataclass(frozen=True)
class Person:
    """Somebody in the hub: ``customers`` is empty for whoever is known from rows alone that became no customer."""

    customers: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    records: frozenset[Record] = field(default_factory=frozenset)

    @property
    def names(self) -> list[str]:
        """The records as identity writes them."""
        return sorted("/".join(record) for record in self.records)

    @property
    def patterns(self) -> list[str]:
        """What finds the person's own identifiers in any text."""
        return [matched(one.kind, one.value) for one in self.identifiers if one.alone and len(one.value) >= _SHORTEST]


_SHORTEST = 6  # a shorter value is found in too many texts that mean something else


def find(lake: Lake, given: str) -> Person:
    """The person whom ``given`` names; without a customer of that name, one with that identifier alone.

    Raises ``ConfigError`` when it names several customers.
    """
    given = given.strip()
    current = lake.manifest()
    if current is None or any(name not in current.tables for name in finding.NEEDED):
        return _stranger(given)
    tables = Tables.published(lake, finding.NEEDED)
    finding.optional(tables)
    found = finding.matches(tables, given)
    if len(found) > 1:
        several = ", ".join(row["customer_id"] for row in found)
        raise ConfigError("subject", f"{len(found)} customers have this identifier", f"name one of them: {several}")
    if not found:
        return _stranger(given)
    asked = {"customer": found[0]["customer_id"]}
    ids = tuple(str(row["id"]) for row in tables.rows(_IDS, asked))
    mine = [Identifier(row["kind"], row["value"], row["alone"]) for row in tables.rows(_IDENTIFIERS, asked)]
    return Person(ids, tuple(mine), frozenset(owned(lake, ids)))


def owned(lake: Lake, customers: tuple[str, ...], *, by_others: bool = False) -> set[Record]:
    """The source rows that some published table ascribes to these customers; ``by_others``: to anybody else."""
    current = lake.manifest()
    found: set[Record] = set()
    tables = Tables(lake)
    for name in current.tables if current and (customers or by_others) else ():
        tables.view(name, lake.published_sql(name))
        quoted = '"' + name + '"'
        columns = {row["column_name"] for row in tables.rows(f"describe {quoted}")}
        if {"customer_id", "source", "stream", "record_key"} <= columns:
            which = "not in" if by_others else "in"
            rows = tables.rows(
                f"select distinct source, stream, record_key from {quoted} "
                f"where customer_id {which} (select unnest($ids::varchar[])) and record_key is not null",
                {"ids": list(customers)},
            )
            found |= {(row["source"], row["stream"], row["record_key"]) for row in rows}
    return found


def said_again(person: Person) -> list[tuple[str, str]]:
    """Kind and form of every identifier that a later record is compared by."""
    return [(one.kind, form) for one in person.identifiers if one.alone for form in forms(one.kind, one.value)]


def _stranger(given: str) -> Person:
    """Who bears an identifier that no customer has; for ``source/stream/key`` who is behind that row."""
    read = [(kind, reader(given)) for kind, reader in _READERS.items()]
    known = tuple(Identifier(kind, value) for kind, value in read if value)
    parts = given.split("/", 2)
    return Person((), known, frozenset({(parts[0], parts[1], parts[2])}) if len(parts) == 3 else frozenset())
