"""How long who is who takes as records grow, and what a change of one in a hundred costs; the severe set throughout.

.venv/bin/python bench/identity/scale.py [RECORDS ...] [--deterministic] [--change]     default: 100,000 records

- everything is on: normalising, edges, likelihood, clusters, ids, golden record, explanations
- `--deterministic`: rules alone, as for ten million records
- `--change`: one record in a hundred changes, then the run again, against a whole run over the same records
"""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from pathlib import Path

import polars as pl
from outcome import Outcome
from project import RESOLUTION, Project, Run

from snello.sandbox.families import Families, make_families

RECORDS_A_PERSON = 2.51
CHANGED = 0.01
# No probability is above one: likelihood is neither trained nor asked.
DETERMINISTIC = {"likelihood": False}


def changed(families: Families) -> Families:
    """The same set with new streets in one record of a hundred, as if seen again today."""
    chosen = pl.int_range(pl.len()) % round(1 / CHANGED) == 7
    last = pl.col("observed_at").max()
    records = families.records.with_columns(
        street=pl.when(chosen & pl.col("street").is_not_null()).then(pl.lit("Via Nuova 1")).otherwise("street"),
        first_name=pl.when(chosen).then(pl.col("first_name").str.to_lowercase()).otherwise("first_name"),
        observed_at=pl.when(chosen).then(last).otherwise("observed_at"),
    )
    return Families(families.people, records, families.truth)


def load(project: Project, families: Families) -> None:
    for source, tables in families.shapes().items():
        for shape, table in tables.items():
            project.load(source, shape, table)


def partition(project: Project) -> pl.DataFrame:
    """Which records are together, by the first record of each customer."""
    return project.table(
        """
        select source || '/' || stream || '/' || record_key as record,
            min(source || '/' || stream || '/' || record_key) over (partition by customer_id) as together
        from marts.customer_sources order by record
        """
    )


def line(name: str, records: int, run: Run) -> str:
    rate = records / run.seconds
    return f"{name:34}{records:>12,}{run.seconds:>10.1f} s{run.peak_bytes / 2**30:>8.1f} GiB{rate:>10,.0f} records/s"


def once(records: int, variables: dict[str, object], change: bool) -> Run:
    families = make_families(round(records / RECORDS_A_PERSON))
    with tempfile.TemporaryDirectory() as home:
        project = Project.over(Path(home), families.shapes())
        run = project.build(RESOLUTION, variables)
        print(line("whole run", families.records.height, run), flush=True)
        print(run.slowest())
        score = Outcome.of(
            families.truth, project.table("select source, stream, record_key, customer_id from marts.customer_sources")
        ).score
        print(f"    precision {score.precision:.4f}, recall {score.recall:.4f}, F1 {score.f1:.4f}", flush=True)
        if change:
            again(project, changed(families), variables, run)
    return run


def again(project: Project, families: Families, variables: dict[str, object], whole: Run) -> None:
    project.publish()
    load(project, families)
    part = project.build(RESOLUTION, variables)
    print(line("one record in a hundred changed", families.records.height, part))
    print(part.slowest())
    found = partition(project)
    with tempfile.TemporaryDirectory() as home:
        other = Project.over(Path(home), families.shapes())
        # The same model: what was learned and published, in a warehouse that knows nothing yet.
        shutil.copytree(project.home / "lake" / "published", other.home / "lake" / "published")
        full = other.build(RESOLUTION, variables)
        same = found.equals(partition(other))
    print(f"    {whole.seconds / part.seconds:.1f} times cheaper than a whole run ({full.seconds:.1f} s); same: {same}")


def main(sizes: list[int], variables: dict[str, object], change: bool) -> None:
    runs = [(size, once(size, variables, change)) for size in sizes]
    if len(runs) > 1:
        (small, first), (large, last) = runs[0], runs[-1]
        exponent = math.log(last.seconds / first.seconds) / math.log(large / small)
        print(f"cost grows with records to the power of {exponent:.2f}")


if __name__ == "__main__":
    given = [int(argument.replace(",", "")) for argument in sys.argv[1:] if not argument.startswith("--")]
    main(given or [100_000], DETERMINISTIC if "--deterministic" in sys.argv else {}, "--change" in sys.argv)
