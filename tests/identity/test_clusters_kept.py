"""A run that makes only what changed gives what a whole run gives, after any sequence of changes."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from tests.identity.graphs import ANNA, MARIO

from snello.identity.contradictions import ITALIAN, Contradictions
from snello.identity.reclustering import forget, kept_table, recluster

EDGES = ("left_record", "right_record", "rule", "identifier_kind", "strength")
PERSONS = ("record", "tax_code", "birth_date", "sex", "name")
NAMES = ["Mario|Rossi", "M.|Rossi", "Anna|Rossi", "Luca|Rossi", "|Rossi", None]
Rows = set[tuple[Any, ...]]


class Company:
    """Persons, edges and decisions that come, change and go."""

    def __init__(self) -> None:
        self.persons: dict[str, tuple[Any, ...]] = {}
        self.edges: dict[tuple[str, str, str], float] = {}
        self.apart: set[tuple[str, str]] = set()
        self.connection = duckdb.connect()
        self.known: dict[str, set[tuple[Any, ...]]] = {}

    def said(self) -> dict[str, set[tuple[Any, ...]]]:
        """All that persons and edges say, each by the record or by one end of the edge."""
        found: dict[str, set[tuple[Any, ...]]] = {record: {marks} for record, marks in self.persons.items()}
        for (one, *rest), strength in self.edges.items():
            found[one].add((*rest, strength))
        return found

    def tables(self) -> dict[str, pa.Table]:
        persons = [(record, *said) for record, said in self.persons.items()]
        edges = [(a, b, rule, rule, strength) for (a, b, rule), strength in self.edges.items()]
        nothing = table([], ("record", "kind", "value"))
        now = self.said()
        asked = sorted(one for one in now.keys() | self.known.keys() if now.get(one) != self.known.get(one))
        return {
            "persons": table(persons, PERSONS),
            "edges": table(edges, EDGES),
            "apart": table(sorted(self.apart), EDGES[:2]),
            "identifiers": nothing,
            "contacts": nothing,
            "asked": table([(record,) for record in asked], ("record",)),
        }

    def run(self) -> tuple[Rows, int]:
        """What a run gives that keeps what it can, and how many records it touched."""
        previous = "kept" if self.known else None
        found = recluster(self.connection, self.tables(), ITALIAN, previous=previous)
        if previous:
            forget(self.connection, "kept", previous)
            found.insert_into("kept")
        else:
            found.create("kept")
        [(touched,)] = self.connection.sql("select count(*) from touched").fetchall()
        self.known = self.said()
        return set(self.connection.sql("from kept").fetchall()), touched

    def whole(self) -> Rows:
        with duckdb.connect() as connection:
            return set(recluster(connection, self.tables(), ITALIAN).fetchall())

    def vanish(self, record: str) -> None:
        del self.persons[record]
        self.edges = {key: strength for key, strength in self.edges.items() if record not in key}
        self.apart = {pair for pair in self.apart if record not in pair}


def table(rows: list[tuple[Any, ...]], names: tuple[str, ...]) -> pa.Table:
    kinds = {"strength": pa.float64()}
    return pa.table(
        {name: pa.array([row[i] for row in rows], kinds.get(name, pa.string())) for i, name in enumerate(names)}
    )


def said(rng: random.Random) -> tuple[Any, ...]:
    return rng.choice([None, None, MARIO, ANNA]), rng.choice([None, "1985-12-10"]), None, rng.choice(NAMES)


def stir(company: Company, rng: random.Random) -> None:
    """One thing happens."""
    records = sorted(company.persons)
    deed = rng.random()
    if deed < 0.35 or len(records) < 3:
        record = f"crm/customers/{rng.randrange(40):02d}"
        company.persons[record] = said(rng)
        for other in rng.sample(records, min(2, len(records))):
            if other != record:
                company.edges[(*sorted((record, other)), rng.choice(["email", "phone"]))] = rng.choice([0.8, 0.9, 0.95])
    elif deed < 0.5:
        company.persons[rng.choice(records)] = said(rng)
    elif deed < 0.65:
        company.vanish(rng.choice(records))
    elif deed < 0.8 and company.edges:
        del company.edges[rng.choice(sorted(company.edges))]
    elif deed < 0.9:
        company.apart.symmetric_difference_update([tuple(sorted(rng.sample(records, 2)))])
    else:
        company.edges[(*sorted(rng.sample(records, 2)), "decision")] = 1.0


@pytest.mark.parametrize("seed", range(4))
def test_after_any_change_the_result_is_that_of_a_whole_run(seed: int) -> None:
    rng, company = random.Random(seed), Company()
    for _ in range(20):
        for _ in range(rng.choice([1, 1, 2, 5])):
            stir(company, rng)
        assert company.run()[0] == company.whole()


def test_a_chain_of_twelve_joined_last_in_the_middle_is_one_cluster() -> None:
    company = Company()
    records = [f"crm/customers/{n:02d}" for n in range(12)]
    company.persons = dict.fromkeys(records, (None, None, None, None))
    links = [(a, b, "email") for a, b in pairwise(records)]
    for link in [*links[:5], *links[6:], links[5]]:
        company.edges[link] = 0.9
        found = company.run()[0]
    assert {row[1] for row in found} == {records[0]}


def test_what_did_not_change_is_not_touched() -> None:
    rng, company = random.Random(1), Company()
    for n in range(300):
        company.persons[f"crm/customers/{n:03d}"] = said(rng)
        if n % 3:
            company.edges[(f"crm/customers/{n - 1:03d}", f"crm/customers/{n:03d}", "email")] = 0.9
    assert company.run()[1] == 300
    assert company.run()[1] == 0
    company.persons["crm/customers/100"] = (None, "1950-01-02", None, None)
    found, touched = company.run()
    assert (found, touched) == (company.whole(), 3)


def test_a_pair_that_is_set_apart_and_no_more_is_told_by_the_pair_alone() -> None:
    company = Company()
    company.persons = dict.fromkeys(("a", "b", "c"), (None,) * 4)
    company.edges = {("a", "b", "email"): 0.9, ("b", "c", "email"): 0.95}
    assert {row[1] for row in company.run()[0]} == {"a"}
    company.apart = {("a", "b")}
    assert company.run() == (company.whole(), 3)
    assert company.run()[0] == company.whole()
    company.apart = set()
    assert {row[1] for row in company.run()[0]} == {"a"}
    assert company.run()[1] == 0


def test_a_table_of_another_shape_is_not_gone_on_from() -> None:
    company = Company()
    assert kept_table(company.connection, "main", "kept") is None
    company.connection.execute("create table kept as select 'a' as left_record, 'a' as right_record")
    assert kept_table(company.connection, "main", "kept") is None
    company.connection.execute("drop table kept")
    company.run()
    assert kept_table(company.connection, "main", "kept") == '"main"."kept"'


def test_another_identifier_that_the_table_names_comes_from_the_identifiers() -> None:
    company = Company()
    company.persons = {"a": (None,) * 4, "b": (None,) * 4}
    company.edges = {("a", "b", "email"): 0.9}
    numbers = [("a", "ssn", "1"), ("b", "ssn", "2"), ("nobody", "ssn", "3"), ("b", "card", "4")]
    tables = company.tables() | {"identifiers": table(numbers, ("record", "kind", "value"))}
    found = recluster(company.connection, tables, Contradictions.of([("ssn", "differ")])).fetchall()
    assert [row[3] for row in found if row[2]] == ["ssn values differ"]
