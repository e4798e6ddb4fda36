"""Everything that the hub holds about one person, table by table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Table, or_, select

from snello.activation import Ledger
from snello.activation.engine import told
from snello.activation.tables import contacts, deliveries, exclusions, receipts, suppressions
from snello.cli.subject.needles import Needles, listed_condition, published_condition
from snello.cli.subject.person import Person
from snello.cli.subject.rawrows import found, raw_tables
from snello.cli.tables import Row
from snello.lake import Lake
from snello.lake.quarantine import STREAM as QUARANTINE

# The order in which a reader wants the published tables; the rest follows by name.
_FIRST = (
    "customers",
    "customer_values",
    "customer_identifiers",
    "customer_sources",
    "customer_roles",
    "consent_current",
    "consents",
    "segments",
)


@dataclass(frozen=True)
class Section:
    """The person's rows of one table; ``part``: known, source rows, refused rows or delivered."""

    part: str
    table: str
    rows: list[Row]


@dataclass(frozen=True)
class Collected:
    """What there is of a person."""

    person: Person
    sections: list[Section]

    def rows(self, part: str | None = None) -> int:
        """How many rows, of one part or of all."""
        return sum(len(section.rows) for section in self.sections if part in (None, section.part))

    def document(self) -> dict[str, Any]:
        """All of it as one JSON document, by part and table."""
        told: dict[str, Any] = {
            "customer_ids": list(self.person.customers),
            "identifiers": [asdict(one) for one in self.person.identifiers],
        }
        for section in self.sections:
            told.setdefault(section.part.replace(" ", "_"), {})[section.table] = section.rows
        return told


def collect(lake: Lake, ledger: Ledger | None, person: Person) -> Collected:
    """Every row of the lake and the ledger that speaks of the person."""
    needles = Needles(lake, person)
    sections = [*_published(lake, needles), *_raw(lake, needles), *(_delivered(ledger, person) if ledger else ())]
    return Collected(person, [section for section in sections if section.rows])


def _published(lake: Lake, needles: Needles) -> Iterator[Section]:
    current = lake.manifest()
    names = list(current.tables) if current else []
    for name in sorted(names, key=lambda one: (_FIRST.index(one) if one in _FIRST else len(_FIRST), one)):
        scan = lake.published_sql(name)
        columns = needles.columns(scan)
        condition = f"{published_condition(columns)} or {listed_condition(columns)}"
        yield Section("known", name, needles.rows(scan, condition).to_pylist())


def _raw(lake: Lake, needles: Needles) -> Iterator[Section]:
    for table in raw_tables(lake, needles):
        part = "refused rows" if table.stream == QUARANTINE else "source rows"
        yield Section(part, table.name, found(lake, needles, table).to_pylist())


def _delivered(ledger: Ledger, person: Person) -> Iterator[Section]:
    ids = person.customers
    by_key = {deliveries: ("key", "customer"), receipts: ("key", "customer"), exclusions: ("customer",)}
    for table, columns in {**by_key, contacts: ("customer",), suppressions: ("value",)}.items():
        yield Section("delivered", table.name, _rows(ledger, table, columns, ids))


def _rows(ledger: Ledger, table: Table, columns: tuple[str, ...], ids: tuple[str, ...]) -> list[Row]:
    query = select(table).where(or_(*(table.c[name].in_(ids) for name in columns)))
    with told(), ledger.engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
