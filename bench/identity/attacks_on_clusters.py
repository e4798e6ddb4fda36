"""Attacks on the step that makes clusters, beside a plain union-find: seconds, clusters, and what must come of each.

Every attack has the fewest and the most clusters that may come of it, and none may hold a contradiction.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from snello.identifiers.tax_code import check_letter
from snello.identity.clusters import cluster
from snello.identity.contradictions import contradiction, profile

CHAIN = 10_000
Edge = tuple[int, int, float, str]


class Case(NamedTuple):
    """Records and edges by number, what some records say, and how many clusters may come of them."""

    count: int
    edges: list[Edge]
    marks: dict[int, dict[str, str]]
    least: int
    most: int


def tax_code(number: int) -> str:
    """A valid code for each number below half a million."""
    year, month, day = number % 80 + 10, "ABCDEHLMPRST"[number // 80 % 12], number // 960 % 28 + 1
    code = f"RSS{chr(65 + number // 26_880 % 26)}RA{year:02d}{month}{day:02d}H501"
    return code + check_letter(code)


def chain(strengths: Callable[[int], float], most: int = 3) -> Case:
    """A row of records without marks between two people: it is cut once, or what could be either's is left alone."""
    edges = [(n, n + 1, strengths(n), "email") for n in range(CHAIN - 1)]
    return Case(CHAIN, edges, {0: {"tax_code": tax_code(1)}, CHAIN - 1: {"tax_code": tax_code(2)}}, 2, most)


def crowd(size: int, links: Iterable[tuple[int, int]], strengths: Callable[[int], float] = lambda n: 0.9) -> Case:
    """So many people, all different, who share one value; the first record says nothing of itself."""
    edges = [(left, right, strengths(n), "phone") for n, (left, right) in enumerate(links)]
    return Case(size, edges, {n: {"tax_code": tax_code(n)} for n in range(1, size)}, size - 1, size)


def cycles(size: int) -> Case:
    """Rings of 50 records, each sharing an identifier with the next; every tenth is somebody known."""
    ring = 50
    edges = [(n, n - n % ring + (n + 1) % ring, 0.8 + n % 4 * 0.05, "card") for n in range(size)]
    born = {n: f"{1930 + n // 10 % 70}-0{1 + n % 7}-1{n // 10 % 7}" for n in range(0, size, 10)}
    # Between two who are known, nine records may be either's.
    return Case(size, edges, {n: {"birth_date": day} for n, day in born.items()}, len(born), 2 * len(born))


def poison(size: int) -> Case:
    """Pairs of two VIPs with ten records each; twenty more records share a telephone with both, and join neither."""
    edges: list[Edge] = []
    marks: dict[int, dict[str, str]] = {}
    for start in range(0, size - 39, 40):
        for side in (0, 10):
            records = range(start + side, start + side + 10)
            edges += [(records[0], other, 0.95, "email") for other in records[1:]]
            marks |= {record: {"tax_code": tax_code(start + side)} for record in records}
        for bad in range(start + 20, start + 40):
            edges += [(start + bad % 10, bad, 0.9, "phone"), (start + 10 + bad % 10, bad, 0.9, "phone")]
            edges += [(bad, start + 20 + (bad + 1) % 20, 0.85, "address")]
    groups = 3 * (size // 40) + size % 40
    return Case(size, edges, marks, groups, groups)


def families(size: int) -> Case:
    """Random families of five who share everything, with records that say only some of their marks."""
    rng = np.random.default_rng(11)
    names = ("Mario", "Luca", "Anna", "Giulia", "Paolo")
    edges, marks = [], {}
    for n in range(size):
        family, member = n // 15, n % 5
        others = family * 15 + rng.integers(0, 15, 3)
        strengths = rng.choice([0.5, 0.8, 0.85, 0.9, 0.95], 3)
        kinds = rng.choice(["email", "phone", "address"], 3)
        edges += [
            (n, int(other), float(strength), str(kind))
            for other, strength, kind in zip(others, strengths, kinds, strict=True)
            if other < size
        ]
        said = {
            "name": f"{names[member]}|Rossi",
            "tax_code": tax_code(n // 15 * 5 + member),
            "birth_date": f"{1950 + member * 9}-0{1 + family % 9}-1{family % 9}",
        }
        marks[n] = {kind: value for kind, value in said.items() if rng.random() < 0.4}
    return Case(size, edges, marks, size // 3, size)


def cases(size: int) -> Iterator[tuple[str, Case]]:
    """Every attack by name."""
    middle = [(n, n + 1) for n in range(size - 1)]
    yield "chain of 10,000, even", chain(lambda n: 0.9)
    yield "chain of 10,000, one weak edge", chain(lambda n: 0.5 if n == 6_000 else 0.9, most=2)
    yield "chain of 10,000, ever stronger", chain(lambda n: 0.2 + 0.79 * n / CHAIN)
    yield f"one value, {size:,} people, star", crowd(size, [(0, n) for n in range(1, size)])
    yield f"one value, {size:,} people, chain", crowd(size, middle)
    yield f"one value, {size:,}, chain, faded", crowd(size, middle, lambda n: 0.3 + n % 997 / 1500)
    yield (
        f"one value, {size:,}, star, faded",
        crowd(size, [(0, n) for n in range(1, size)], lambda n: 0.3 + n % 997 / 1500),
    )
    blank = crowd(size, [(0, n) for n in range(1, size)])
    two = {n: blank.marks[n] for n in (1, size - 1)}
    yield f"one blank value, {size:,} records", Case(size, blank.edges, two, 2, 3)
    yield f"cycles of identifiers, {size:,}", cycles(size)
    yield f"poison between VIPs, {size:,}", poison(size)
    yield f"families, {size * 4:,}", families(size * 4)


def union_find(count: int, edges: Iterable[Edge]) -> list[int]:
    """What one writes first: it knows nothing of contradictions."""
    parent = list(range(count))
    for left, right, *_ in edges:
        while parent[left] != left:
            parent[left] = left = parent[parent[left]]
        while parent[right] != right:
            parent[right] = right = parent[parent[right]]
        parent[left] = right
    for record in range(count):
        root = record
        while parent[root] != root:
            root = parent[root]
        parent[record] = root
    return parent


def broken(clusters: Iterable[object], marks: dict[int, dict[str, str]]) -> int:
    """How many clusters hold two records that contradict each other."""
    members = defaultdict(set)
    for record, name in enumerate(clusters):
        if said := marks.get(record):
            members[name].add(tuple(sorted(said.items())))
    found = 0
    for group in members.values():
        profiles = [profile(**dict(said)) for said in sorted(group)]
        found += any(contradiction(one, other) for one, other in combinations(profiles, 2))
    return found


def hub(case: Case) -> tuple[list[object], int, float]:
    """The clusters of records in their order, how many edges were cut, and the seconds it took."""
    count, edges, marks = case[:3]
    names = [f"r{n:07d}" for n in range(count)]
    columns = list(zip(*edges, strict=True))
    table = pa.table(
        {
            "left": pa.array(names).take(pa.array(columns[0])),
            "right": pa.array(names).take(pa.array(columns[1])),
            "strength": pa.array(columns[2]),
            "rule": pa.array(columns[3]),
        }
    )
    said = [(names[record], kind, value) for record, given in marks.items() for kind, value in given.items()]
    listed = pa.table({name: [row[i] for row in said] for i, name in enumerate(("record", "kind", "value"))})
    started = time.perf_counter()
    found = cluster(names, table, listed)
    return found.assignment["cluster"].to_pylist(), found.cuts.num_rows, time.perf_counter() - started


def attack(size: int) -> int:
    """Print a line an attack; how many of them did not come out as they must."""
    print(f"{'clusters alone':40}{'seconds':>9}{'clusters':>10}{'cuts':>9}{'broken':>8}   union-find: clusters, broken")
    wrong = 0
    for name, case in cases(size):
        clusters, cuts, seconds = hub(case)
        plain = union_find(case.count, case.edges)
        count, bad = len(set(clusters)), broken(clusters, case.marks)
        row = f"{name:40}{seconds:>9.2f}{count:>10,}{cuts:>9,}{bad:>8,}"
        row += f"   {len(set(plain)):>20,}{broken(plain, case.marks):>8,}"
        if bad or not case.least <= count <= case.most:
            wrong += 1
            row += f"   WRONG: {case.least:,} to {case.most:,} clusters, none broken"
        print(row, flush=True)
    return wrong
