"""How fast values are normalised in SQL and records become customers, beside a plain union-find in Python.

.venv/bin/python bench/identity/values_and_clusters.py [ROWS]     default: 1,000,000 rows, and twice as many edges
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from snello.dbt.functions import register
from snello.identifiers.tax_code import check_letter
from snello.identity.clusters import cluster
from snello.identity.customer_ids import assign_ids

DISTINCT_OF_REPEATS = 20_000
GIVEN = ("Mario", "Luca", "Anna", "Giulia", "Francesca", "Paolo", "Marco", "Elena", "Sara", "Davide")
FAMILY = ("Rossi", "De Luca", "D'Angelo", "Russo", "Ferrari", "Esposito", "Lo Presti", "Colombo")
CALLS = {
    "null_like": "null_like(email)",
    "normalise_email": "normalise_email(email)",
    "email_is_role": "email_is_role(email)",
    "email_mailbox": "email_mailbox(email)",
    "normalise_phone": "normalise_phone(phone, 'IT')",
    "phone_kind": "phone_kind(normal_phone)",
    "normalise_tax_code": "normalise_tax_code(tax_code)",
    "tax_code_birth_date": "tax_code_birth_date(tax_code)",
    "normalise_name": "normalise_name(name)",
    "name_key": "name_key(name)",
    "split_first_name": "split_first_name(name)",
    "normalise_card": "normalise_card(card)",
    "street_key": "street_key(street)",
    "postcode_city": "postcode_city(postcode)",
    "hash_key": "hash_key(email, 'salt')",
}


def values(rows: int) -> Iterator[dict[str, str]]:
    """Contacts as they arrive: one telephone in five is not in a plain shape, one name in two is in capitals."""
    for n in range(rows):
        name = f"{GIVEN[n % 10]} {FAMILY[n // 10 % 8]}{'aeiou'[n // 80 % 5]}{n // 400:x}".translate(LETTERS)
        born = f"{n // 10 % 80 + 10:02d}{'ABCDEHLMPRST'[n // 800 % 12]}{n // 9600 % 28 + 1:02d}"
        code = f"RSS{'ABCDEFGHIJ'[n % 10]}{chr(65 + n // 268_800 % 26)}A{born}H501"
        yield {
            "email": f"{'Mario.Rossi' if n % 2 else 'a.bianchi'}{n}@Example{n % 50}.it",
            "phone": (f"34{n:08d}", f"+39 33{n:08d}", f"340-{n:07d}", f"320 {n:07d}", f"02/{n:07d}")[n % 5],
            "normal_phone": f"+3934{n:08d}" if n % 5 else f"+3902{n:07d}",
            "tax_code": code + check_letter(code),
            "name": name.upper() if n % 2 else name,
            "card": f"8001 {n:09d}",
            "street": f"Via Roma, n. {n}/A",
            "postcode": f"{n % 90_000 + 10_000}",
        }


LETTERS = str.maketrans("0123456789", "abcdefghij")


def normalising(rows: int) -> None:
    with duckdb.connect() as connection:
        register(connection)
        distinct = pa.Table.from_pylist(list(values(rows)))
        repeats = distinct.slice(0, DISTINCT_OF_REPEATS).take(
            pa.array(np.arange(rows) % min(rows, DISTINCT_OF_REPEATS))
        )
        print(f"normalising in SQL, rows/s busy{'':3}{rows:,} distinct   {rows:,} of {DISTINCT_OF_REPEATS:,} values")
        for name, call in CALLS.items():
            rates = []
            for table in (distinct, repeats):
                connection.register("contacts", table)
                started = time.process_time()
                connection.execute(f"select count({call}) from contacts").fetchall()
                rates.append(rows / (time.process_time() - started))
            print(f"  {name:28}{rates[0]:>16,.0f}{rates[1]:>28,.0f}")


class Clock:
    """Seconds since it was made: on the wall, and of the processors, which a busy machine changes less."""

    def __init__(self) -> None:
        self.wall, self.busy = time.perf_counter(), time.process_time()

    def __str__(self) -> str:
        return f"{time.perf_counter() - self.wall:8.1f} s ({time.process_time() - self.busy:.1f} s busy)"


def people(records: int) -> tuple[pa.Array, pa.Table, pa.Table]:
    """Three records a person, two edges a record inside the person, and one in fifty to a stranger."""
    rng = np.random.default_rng(1)
    owner = np.arange(records) // 3
    left = np.repeat(np.arange(records), 2)
    right = np.minimum(owner[left] * 3 + rng.integers(0, 3, len(left)), records - 1)
    stray = rng.random(len(left)) < 0.02
    right[stray] = rng.integers(0, records, int(stray.sum()))
    names = pa.array([f"crm/customers/{n}" for n in rng.permutation(records)])
    edges = pa.table(
        {
            "left": names.take(pa.array(left)),
            "right": names.take(pa.array(right)),
            "strength": np.where(stray, 0.5, 0.8 + rng.integers(0, 8, len(left)) * 0.02),
            "rule": pa.repeat(pa.scalar("email"), len(left)),
        }
    )
    said = rng.random(records) < 0.7
    births = np.datetime64("1930-01-01") + rng.integers(0, 27_000, records)[owner]
    full = [f"{GIVEN[n % 10]}|{FAMILY[n % 8]}" for n in rng.integers(0, 80, records)[owner][said].tolist()]
    marks = pa.table(
        {
            "record": pa.concat_arrays([names.filter(pa.array(said)), names.filter(pa.array(~said))]),
            "kind": pa.array(["name"] * int(said.sum()) + ["birth_date"] * int((~said).sum())),
            "value": pa.array(full + births[~said].astype(str).tolist()),
        }
    )
    return names, edges, marks


def union_find(records: list[str], left: list[str], right: list[str]) -> int:
    """What one writes first: a dictionary of parents; it knows nothing of contradictions."""
    parent = {record: record for record in records}

    def root(record: str) -> str:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    for one, other in zip(left, right, strict=True):
        parent[root(one)] = root(other)
    return sum(root(record) == record for record in records)


def clustering(records: int) -> None:
    names, edges, marks = people(records)
    nothing = marks.slice(0, 0)
    lists = (names.to_pylist(), edges["left"].to_pylist(), edges["right"].to_pylist())
    print(f"clustering, {records:,} records and {edges.num_rows:,} edges")
    clock = Clock()
    plain = union_find(*lists)
    print(f"  {'plain union-find in Python':34}{clock}{plain:>12,} clusters")
    for title, given in (("cluster(), no marks", nothing), (f"cluster(), {marks.num_rows:,} marks", marks)):
        clock = Clock()
        found = cluster(names, edges, given)
        took = str(clock)
        count = len(found.assignment["cluster"].unique())
        print(f"  {title:34}{took}{count:>12,} clusters{found.cuts.num_rows:>10,} cuts")
    seen = pa.table({"record": names, "first_seen": pa.repeat(pa.scalar("2026-01-01 00:00:00+00"), records)})
    nobody = pa.table({"record": names.slice(0, 0), "customer_id": names.slice(0, 0)})
    for title in ("assign_ids(), first run", "assign_ids(), unchanged"):
        clock = Clock()
        ids = assign_ids(found.assignment, nobody, seen)
        print(f"  {title:34}{clock}{ids.events.num_rows:>12,} events")
        nobody = ids.assignment


if __name__ == "__main__":
    wanted = int(sys.argv[1].replace(",", "")) if sys.argv[1:] else 1_000_000
    normalising(wanted)
    clustering(wanted)
