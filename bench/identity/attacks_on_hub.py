"""Attacks on who is who through the whole project: what is written down, and what must become of it.

All stand in one lake, each in a stream of its own, and are judged by the customers of one run.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from attacks_on_clusters import CHAIN, tax_code
from project import IDENTITY, Project

SOURCE = "attack"
SYLLABLES = [first + vowel for first in "bcdfglmnprstvz" for vowel in "aeiou"]
DEFAULTS = {
    "tax_code": ("XXXXXXXXXXXXXXXX", "0000000000000000", "n/d", "NON FORNITO", ""),
    "email": ("noemail@noemail.it", "test@test.it", "info@negozio.example", "n/d", " "),
    "phone": ("0000000000", "3333333333", "1234567890", "-", "n.d."),
    "birth_date": ("1900-01-01", "1970-01-01", "1901-01-01", None, None),
    "street": ("-", "n/d", "sconosciuto", "N.D.", ""),
}
RINGS, RING = 100, 50
VIPS, OWN, POISON = 100, 10, 20

Customers = dict[str, str]
Row = dict[str, str | None]


@dataclass
class Attack:
    """What is written down, and how many things are wrong in the customers that came of it, by record key."""

    expected: str
    wrong: Callable[[Customers], int]
    persons: list[Row] = field(default_factory=list)
    identifiers: list[Row] = field(default_factory=list)

    def person(self, key: str, number: int, **said: str | None) -> None:
        """A record of the person of that number."""
        self.persons.append({"record_key": key, **named(number), **said})

    def also(self, key: str, kind: str, value: str) -> None:
        """One more identifier of a record."""
        self.identifiers.append({"record_key": key, "kind": kind, "value": value})


def named(number: int) -> Row:
    """A name for each number below a few billion; neighbours have names far apart."""
    parts = []
    mixed = number * 2_654_435_761 % 70**6
    for _ in range(6):
        mixed, place = divmod(mixed, 70)
        parts.append(SYLLABLES[place])
    return {"first_name": "".join(parts[:3]).title(), "last_name": "".join(parts[3:]).title()}


def split(customers: Customers, groups: Iterable[Iterable[str]]) -> int:
    """How many groups are not one customer."""
    return sum(len({customers[key] for key in group}) != 1 for group in groups)


def joined(customers: Customers, groups: Iterable[Iterable[str]]) -> int:
    """How many groups share a customer with another."""
    holders = defaultdict(set)
    for number, group in enumerate(groups):
        for key in group:
            holders[customers[key]].add(number)
    return len({number for held in holders.values() if len(held) > 1 for number in held})


def chain(codes: bool) -> Attack:
    """Ten thousand records of one name, each sharing an e-mail with the next; the ends may be two people."""
    keys = [f"{n}" for n in range(CHAIN)]
    if codes:
        made = Attack("its ends are two customers", lambda found: joined(found, [keys[:1], keys[-1:]]))
    else:
        made = Attack("one customer", lambda found: split(found, [keys]))
    for n, key in enumerate(keys):
        code = tax_code(7 + n) if codes and n in (0, CHAIN - 1) else None
        made.person(key, 1 + codes, email=f"link.{int(codes)}.{n}@posta.example", tax_code=code)
        made.also(key, "email", f"link.{int(codes)}.{n + 1}@posta.example")
    return made


def crowd(size: int, kind: str, value: str) -> Attack:
    """So many people who share one value, and have nothing else."""
    made = Attack("as many customers", lambda found: joined(found, [[f"{n}"] for n in range(size)]))
    for n in range(size):
        made.person(f"{n}", 1_000_000 + n, **{kind: value})
    return made


def defaults(size: int) -> Attack:
    """People known by nothing but blanks and what tills fill in, a fifth of them without a name."""
    made = Attack("as many customers", lambda found: joined(found, [[f"{n}"] for n in range(size)]))
    for n in range(size):
        said = {column: values[n // 5 % 5 if column == "phone" else n % 5] for column, values in DEFAULTS.items()}
        nobody = {"first_name": "N/D", "last_name": "N/D"} if n % 5 == 2 else {}
        made.person(f"{n}", 2_000_000 + n, **(said | nobody))
    return made


def rings(two: bool) -> Attack:
    """Rings of fifty records, each sharing a card with the next; on opposite sides one person or two."""
    groups = [[f"{ring}-{n}" for n in range(RING)] for ring in range(RINGS)]
    if two:
        sides = [[group[side]] for group in groups for side in (0, RING // 2)]
        made = Attack("opposite sides are two customers", lambda found: joined(found, sides))
    else:
        made = Attack("one customer a ring", lambda found: split(found, groups) + joined(found, groups))
    for ring, group in enumerate(groups):
        for n, key in enumerate(group):
            person = 20_000 + ring * 2 + (two and n >= RING // 2)
            code = tax_code(person) if n in (0, RING // 2) else None
            made.person(key, 3_000_000 + int(two) * 1_000 + ring, tax_code=code)
            for held in (n, (n + 1) % RING):
                made.also(key, "card", f"8{int(two)}{ring:05}{held:05}")
    return made


def poison() -> Attack:
    """Two VIPs and records that have the name and the mailbox of one and the mobile of the other."""
    people = [[f"{vip}-{side}-{n}" for n in range(OWN)] for vip in range(VIPS) for side in (0, 1)]
    made = Attack("every VIP one customer, no two the same", lambda found: split(found, people) + joined(found, people))
    for vip in range(VIPS):
        known = [
            (4_000_000 + vip * 2 + side, f"vip.{vip}.{side}@posta.example", f"+39347{vip:04}{side}77")
            for side in (0, 1)
        ]
        for side, (person, email, mobile) in enumerate(known):
            for n in range(OWN):
                code = tax_code(40_000 + vip * 2 + side)
                made.person(f"{vip}-{side}-{n}", person, email=email, mobile=mobile, tax_code=code)
        for n in range(POISON):
            one, other = known[n % 2], known[1 - n % 2]
            made.person(f"{vip}-bad-{n}", one[0], email=one[1], mobile=other[2])
            made.also(f"{vip}-bad-{n}", "email", other[1])
    return made


def attacks(size: int) -> Iterator[tuple[str, Attack]]:
    """Every attack by name."""
    yield "chain of 10,000", chain(codes=False)
    yield "chain of 10,000 between two", chain(codes=True)
    yield f"one phone, {size:,} people", crowd(size, "phone", "+39 051 555 0101")
    yield f"one e-mail, {size:,} people", crowd(size, "email", "tutti@posta.example")
    yield f"blanks and defaults, {size // 10:,}", defaults(size // 10)
    yield "rings of 50", rings(two=False)
    yield "rings of 50 between two", rings(two=True)
    yield "poison between VIPs", poison()


def attack(size: int) -> int:
    """Print a line an attack; how many of them did not come out as they must."""
    given = dict(attacks(size))
    parts = {
        "person_observed": [row | {"stream": name} for name, one in given.items() for row in one.persons],
        "identifier_observed": [row | {"stream": name} for name, one in given.items() for row in one.identifiers],
    }
    tables = {shape: pl.DataFrame(rows, infer_schema_length=None).to_arrow() for shape, rows in parts.items()}
    with tempfile.TemporaryDirectory() as home:
        project = Project.over(Path(home), {SOURCE: tables})
        run = project.build(IDENTITY)
        found = project.table("select stream, record_key, customer_id::varchar as customer from marts.customer_sources")
        blocked = project.table("select kind, records, reason from marts.identity_blocked where records >= 1000")
    print(f"\n{'the whole hub':40}{'records':>9}{'customers':>10}{'wrong':>7}   expected")
    failed = 0
    for name, one in given.items():
        held = dict(found.filter(stream=name).select("record_key", "customer").iter_rows())
        # A record that no customer has stands for itself.
        customers = {key: held.get(key) or f"nobody {key}" for key in (str(row["record_key"]) for row in one.persons)}
        wrong = one.wrong(customers)
        failed += wrong > 0
        verdict = "   WRONG" if wrong else ""
        count = len(set(customers.values()))
        print(f"{name:40}{len(customers):>9,}{count:>10,}{wrong:>7,}   {one.expected}{verdict}", flush=True)
    unseen = {"phone", "email"} - set(blocked["kind"])
    print(f"{run.seconds:.1f} s, {run.busy:.1f} s busy; values of a crowd that are not reported: {len(unseen)}")
    return failed + len(unseen)
