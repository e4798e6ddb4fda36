"""Who is who in the severe set of families: the hub beside Splink alone, strict rules and GoldenMatch.

.venv/bin/python bench/identity/families.py [PEOPLE] [--alone] [--bounds] [--seed N]     default: 100,000 people

The peers get values normalised by the hub and freed of the placeholders that it blocks; `--alone` leaves them out.
`--bounds` tells the most that judges who know the truth could make of what the records hold.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import polars as pl
from outcome import HEAD, Outcome, contradictions
from project import IDENTITY, Project

from snello.identifiers import tax_code_canonical
from snello.sandbox.families import Families, make_families
from snello.sandbox.families.placeholders import BIRTHS, TAX_CODES
from snello.sandbox.score import KEYS

sys.path.insert(0, str(Path(__file__).parents[1]))
from alone import splink, strict
from bounds import bounds

from peers import programs

GIVEN_UP_AFTER = 1800
SEED = 20_261
NOBODYS = {*TAX_CODES, *map(str, BIRTHS)}
# What a peer reads: one row a record, its values normalised.
PREPARED = """
    with mails as (select record, min(value) as email from identity.usable_identifiers where kind = 'email' group by 1),
    phones as (select record, min(value) as phone from identity.usable_identifiers where kind = 'phone' group by 1)
    select
        persons.record, persons.source, persons.stream, persons.record_key, first_key as first_name,
        last_key as last_name, birth_date::varchar as birth_date, tax_code_canonical as tax_code, email, phone,
        street_key as street, postcode, city
    from identity.person_records as persons
    left join mails on persons.record = mails.record
    left join phones on persons.record = phones.record
    order by persons.record
"""


def goldenmatch(frame: pl.DataFrame) -> pl.Series:
    """GoldenMatch in its own environment; raises ``subprocess.TimeoutExpired`` when it takes half an hour."""
    with tempfile.TemporaryDirectory() as folder:
        given, wanted = Path(folder) / "given.parquet", Path(folder) / "wanted.parquet"
        frame.drop(KEYS).write_parquet(given)
        script = Path(__file__).with_name("goldenmatch_alone.py")
        subprocess.run(
            [programs() / "python", script, given, wanted], check=True, timeout=GIVEN_UP_AFTER, capture_output=True
        )
        found = pl.read_parquet(wanted)
    return frame.select("record").join(found, on="record", how="left", maintain_order="left")["cluster"]


def told(name: str, families: Families, customers: pl.DataFrame, seconds: float | None) -> Outcome:
    outcome = Outcome.of(families.truth, customers)
    held = contradictions(families.records, customers, NOBODYS)
    print(
        outcome.line(name, seconds) + f"{held['two tax codes']:10,}{held['birth dates that do not agree']:8,}",
        flush=True,
    )
    return outcome


def beside(name: str, peer: Callable[[pl.DataFrame], pl.Series], families: Families, frame: pl.DataFrame) -> None:
    started = time.perf_counter()
    try:
        found = peer(frame)
    except subprocess.TimeoutExpired:
        print(f"{name:26}gave up after {GIVEN_UP_AFTER:,} s", flush=True)
        return
    took = time.perf_counter() - started
    told(name, families, frame.select(KEYS).with_columns(customer_id=found.cast(pl.String)), took)


def blocked_joins(project: Project) -> int:
    """Edges that rest on a value that is blocked."""
    return int(
        project.table(
            """
            select count(*) from identity.person_edges as edges
            inner join identity.record_identifiers as lefts on edges.left_record = lefts.record
            inner join identity.record_identifiers as rights
                on edges.right_record = rights.record and lefts.kind = rights.kind and lefts.value = rights.value
            inner join identity.blocked_identifiers as blocked
                on lefts.kind = blocked.kind and lefts.value = blocked.value
            where edges.identifier_kind = lefts.kind and not exists (
                select 1 from identity.usable_identifiers as usable
                inner join identity.usable_identifiers as others
                    on usable.kind = others.kind and usable.value = others.value
                where
                    usable.record = edges.left_record
                    and others.record = edges.right_record
                    and usable.kind = edges.identifier_kind
            )
            """
        ).item()
    )


def main(people: int, seed: int, *, alone: bool, with_bounds: bool) -> None:
    families = make_families(people, seed)
    with tempfile.TemporaryDirectory() as home:
        project = Project.over(Path(home), families.shapes())
        run = project.build(IDENTITY)
        customers = project.table("select source, stream, record_key, customer_id from marts.customer_sources")
        frame, joins = project.table(PREPARED), blocked_joins(project)
        judges = bounds(project, families.truth) if with_bounds else {}
    print(f"families, seed {seed}, {people:,} people, {families.records.height:,} records")
    print(f"{HEAD}{'two codes':>10}{'dates':>8}")
    hub = told("hub", families, customers, run.seconds)
    for name, found in judges.items():
        told(name, families, found, None)
    if not alone:
        for name, peer in (("strict rules", strict), ("Splink alone", splink), ("GoldenMatch", goldenmatch)):
            beside(name, peer, families, frame)
    print(f"edges of the hub that rest on a blocked value: {joins}")
    print("false pairs of the hub by cause")
    for cause, pairs, groups in hub.over_merges(families.people, families.truth).iter_rows():
        print(f"  {cause:24}{pairs:8,} pairs in {groups:,} customers")
    print("slowest models")
    print(run.slowest())


if __name__ == "__main__":
    arguments = ArgumentParser()
    arguments.add_argument("people", nargs="?", default="100,000")
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--alone", action="store_true")
    arguments.add_argument("--bounds", action="store_true")
    given = arguments.parse_args()
    NOBODYS |= {code for given in TAX_CODES if (code := tax_code_canonical(given))}
    main(int(given.people.replace(",", "")), given.seed, alone=given.alone, with_bounds=given.bounds)
