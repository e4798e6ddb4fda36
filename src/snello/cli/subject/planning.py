"""What an erasure would do, before it does anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from snello.activation import Erasures
from snello.activation.tombstones import Tombstone
from snello.cli.subject.holds import Hold
from snello.cli.subject.needles import Needles, listed_condition, published_condition
from snello.cli.subject.person import Person, said_again
from snello.cli.subject.rawrows import keys_found, raw_tables
from snello.identifiers import hash_key
from snello.lake import Lake

# Hashes of refusals, so that nobody writes to the person again; and the proof of what was sent and removed.
KEPT_TABLES = ("consent_suppressions", "deliveries", "sync_results")


@dataclass(frozen=True)
class Planned:
    """What is known of a person and what becomes of it; counts of rows by channel and table."""

    person: Person
    channels: dict[str, int]
    published: dict[str, int]
    raw: dict[str, int]
    held: dict[str, int]
    holds: tuple[Hold, ...]
    shared: int

    @property
    def rows(self) -> int:
        """How many rows go."""
        return sum((*self.channels.values(), *self.published.values(), *self.raw.values()))

    def stones(self, salt: str) -> list[Tombstone]:
        """The tombstones: of the customer, each source row and each identifier that is theirs alone."""
        held = {(hold.source, hold.stream) for hold in self.holds}
        customers = [Tombstone("customer", str(hash_key(one, salt))) for one in self.person.customers]
        records = [
            Tombstone.of_record(source, stream, key, salt, "held" if (source, stream) in held else "record")
            for source, stream, key in self.person.records
        ]
        said = [Tombstone(kind, str(hash_key(form, salt))) for kind, form in said_again(self.person)]
        return [*customers, *records, *said]


def plan(lake: Lake, erasures: Erasures, person: Person, holds: Sequence[Hold]) -> Planned:
    """Look everywhere; the person in the answer knows every source row that was found."""
    needles = Needles(lake, person)
    current = lake.manifest()
    published = {name: _published(lake, needles, name) for name in sorted(current.tables if current else ())}
    kept = {(hold.source, hold.stream) for hold in holds}
    raw: dict[str, int] = {}
    held: dict[str, int] = {}
    records = set(person.records)
    for table in raw_tables(lake, needles):
        many = needles.count(lake.scan_sql(table.uri), table.condition)
        (held if (table.source, table.stream) in kept else raw)[table.name] = many
        records |= keys_found(lake, needles, table) if many else set()
    return Planned(
        person=replace(person, records=frozenset(records)),
        channels=erasures.holding(person.customers) if person.customers else {},
        published={name: many for name, many in published.items() if many and name not in KEPT_TABLES},
        raw={name: many for name, many in raw.items() if many},
        held={name: many for name, many in held.items() if many},
        holds=tuple(hold for hold in holds if held.get(hold.name)),
        shared=sum(not one.alone for one in person.identifiers),
    )


def _published(lake: Lake, needles: Needles, name: str) -> int:
    scan = lake.published_sql(name)
    columns = needles.columns(scan)
    return needles.count(scan, f"{published_condition(columns)} or {listed_condition(columns)}")
