"""The severe set written to a bench's lake part by part, so that ten million records take no more memory than one.

A part has people, homes, telephones and mailboxes of its own; a set of one part is that of ``make_families``.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import polars as pl
from project import Project

from snello.sandbox.families import Families, make_families
from snello.sandbox.families.placeholders import EMAILS

SEED = 20_261
PART = 400_000  # people, a million records
LEAST = 100  # people that the generator makes at once
CHANGED = 100  # one record in so many changes


def write(home: Path, people: int, seed: int = SEED, *, is_changed: bool = False) -> int:
    """Write the set to the lake of the project in ``home``, made when it is not there; how many records there are.

    - ``is_changed``: one record in a hundred has moved and is seen again today
    - of whom each record speaks stands in ``home/truth``, a file a part

    Works in a process of its own: what the generator held is given back before the hub runs.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_write, home, people, seed, is_changed).result()


def truth(home: Path) -> pl.DataFrame:
    """Of whom each record speaks."""
    return pl.read_parquet(home / "truth" / "*.parquet")


def _write(home: Path, people: int, seed: int, is_changed: bool) -> int:
    (home / "truth").mkdir(exist_ok=True)
    records = 0
    for number, part in enumerate(parts(people, seed)):
        given = changed(part) if is_changed else part
        shapes = given.shapes()
        if number == 0 and not is_changed:
            Project.over(home, shapes)
        else:
            for source, tables in shapes.items():
                for shape, table in tables.items():
                    Project(home).load(source, shape, table, "append" if number else "overwrite")
        part.truth.write_parquet(home / "truth" / f"{number:03}.parquet")
        records += part.records.height
    return records


def parts(people: int, seed: int) -> Iterator[Families]:
    """The set in parts of at most ``PART`` people and a few, none of whom is in another."""
    sizes = [min(PART, people - start) for start in range(0, people, PART)]
    if len(sizes) > 1 and sizes[-1] < LEAST:
        sizes[-2:] = [sum(sizes[-2:])]
    for number, size in enumerate(sizes):
        yield apart(make_families(size, seed + number), number)


def apart(part: Families, number: int) -> Families:
    """A part whose people, homes, records and mailboxes are none of the first part's."""
    if number == 0:
        return part
    first = number * (PART + LEAST)
    mailbox = pl.col("email").str.replace("@", f".{number}@", literal=True)
    return Families(
        part.people.with_columns(pl.col("person_id", "household_id") + first),
        part.records.with_columns(
            record_key=pl.format("{}-{}", pl.lit(number), "record_key"),
            email=pl.when(pl.col("email").is_in(EMAILS)).then("email").otherwise(mailbox),
        ),
        part.truth.with_columns(
            pl.col("person_id") + first, record_key=pl.format("{}-{}", pl.lit(number), "record_key")
        ),
    )


def changed(part: Families) -> Families:
    """The same part where one record in a hundred has moved, as if seen again today."""
    row = pl.int_range(pl.len())
    chosen = row % CHANGED == 7
    home = pl.format("Via Nuova {}", row // CHANGED % 997 + 1)
    records = part.records.with_columns(
        street=pl.when(chosen & pl.col("street").is_not_null()).then(home).otherwise("street"),
        first_name=pl.when(chosen).then(pl.col("first_name").str.to_lowercase()).otherwise("first_name"),
        observed_at=pl.when(chosen).then(pl.col("observed_at").max()).otherwise("observed_at"),
    )
    return Families(part.people, records, part.truth)
