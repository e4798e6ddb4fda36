"""What who is who costs as records grow, and what a change of one record in a hundred costs; the severe set throughout.

.venv/bin/python bench/identity/scale.py [RECORDS ...] [--deterministic] [--change] [--score]

- with no word: 100,000 and 1,000,000 records with everything on (normalising, edges, likelihood, clusters, ids, golden
  record, explanations) and a change of one in a hundred, then 100,000, 1,000,000 and 10,000,000 by rules alone
- `--deterministic`: rules alone
- `--change`: one record in a hundred changes, then the run again, beside a whole run over the same records
- `--score`: how right the answers are, which is asked of the truth
"""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import severe
from dbt_run import Run
from project import RESOLUTION, Project

from snello.sandbox.score import measure

RECORDS_A_PERSON = 2.51
# Nobody is shown to likelihood: it is neither trained nor asked.
DETERMINISTIC = {"likelihood": False}
TOLD = 0.004  # a model that costs a smaller share of the largest run is not told


@dataclass(frozen=True)
class Wanted:
    """What is asked for: sizes in records, rules alone or not, a change or not, a score or not."""

    sizes: list[int]
    deterministic: bool = False
    change: bool = False
    score: bool = False

    @property
    def variables(self) -> dict[str, object]:
        """The project's variables."""
        return dict(DETERMINISTIC) if self.deterministic else {}


PROGRAMME = (Wanted([100_000, 1_000_000], change=True), Wanted([100_000, 1_000_000, 10_000_000], deterministic=True))


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
    busy = f"{run.busy:>9.1f} s busy ({run.system:.1f} system)"
    return (
        f"{name:36}{records:>12,}{run.seconds:>9.1f} s{busy}{run.peak_bytes / 2**30:>6.1f} GiB"
        f"{records / run.seconds:>9,.0f} records/s"
    )


def once(size: int, wanted: Wanted) -> Run:
    with tempfile.TemporaryDirectory() as home:
        project = Project(Path(home))
        people = round(size / RECORDS_A_PERSON)
        records = severe.write(project.home, people)
        run = project.build(RESOLUTION, wanted.variables)
        print(line("rules alone" if wanted.deterministic else "everything on", records, run), flush=True)
        print(run.slowest(), flush=True)
        if wanted.score:
            print(f"    {scored(project)}", flush=True)
        if wanted.change:
            again(project, people, wanted.variables)
    return run


def scored(project: Project) -> str:
    customers = project.table("select source, stream, record_key, customer_id from marts.customer_sources")
    score = measure(severe.truth(project.home).to_arrow(), customers.to_arrow())
    return f"precision {score.precision:.4f}, recall {score.recall:.4f}, F1 {score.f1:.4f}"


def again(project: Project, people: int, variables: dict[str, object]) -> None:
    project.publish()
    records = severe.write(project.home, people, is_changed=True)
    part = project.build(RESOLUTION, variables)
    print(line("one record in a hundred changed", records, part))
    print(part.slowest(), flush=True)
    with tempfile.TemporaryDirectory() as home:
        # The same records and the same model: what was learned and published, in a warehouse that knows nothing yet.
        other = Project(Path(home))
        shutil.copytree(project.lake.root, other.lake.root)
        shutil.copytree(project.folder, other.folder)
        full = other.build(RESOLUTION, variables)
        print(line("a whole run over the same", records, full))
        same = partition(project).equals(partition(other))
    cheaper, sooner = full.busy / part.busy, full.seconds / part.seconds
    models = full.in_models / part.in_models
    told = f"{sooner:.1f} on the wall, {models:.1f} in models alone"
    print(f"    {cheaper:.1f} times cheaper ({told}); same: {same}", flush=True)


def exponent(smaller: tuple[int, float], larger: tuple[int, float]) -> float:
    """The power of the records that a cost grows with, from two sizes and costs."""
    return math.log(larger[1] / smaller[1]) / math.log(larger[0] / smaller[0])


def growth(runs: list[tuple[int, Run]]) -> str:
    """Seconds of the processors and peak memory by model at each size, and the power of the records they grow with."""
    (small, first), (large, last) = runs[0], runs[-1]
    power = exponent((small, first.busy), (large, last.busy))
    lines = [f"cost grows with records to the power of {power:.2f}; by model, seconds busy:"]
    lines.append(f"    {'':34}" + "".join(f"{size:>14,}" for size, _ in runs) + f"{'power':>8}{'GiB':>7}")
    for name, step in sorted(last.steps.items(), key=lambda entry: -entry[1].busy):
        costs = [(size, run.steps[name].busy) for size, run in runs if name in run.steps]
        if step.busy < TOLD * last.busy or len(costs) < len(runs):
            continue
        shown = "".join(f"{busy:>14.1f}" for _, busy in costs)
        # Below a tenth of a second the clock says nothing.
        known = [(size, max(busy, 0.1)) for size, busy in costs]
        lines.append(f"    {name:34}{shown}{exponent(known[-2], known[-1]):>8.2f}{step.peak_bytes / 2**30:>7.1f}")
    return "\n".join(lines)


def main(wanted: Wanted) -> None:
    runs = [(size, once(size, wanted)) for size in wanted.sizes]
    if len(runs) > 1:
        print(growth(runs), flush=True)


if __name__ == "__main__":
    given = [int(argument.replace(",", "")) for argument in sys.argv[1:] if not argument.startswith("--")]
    if len(sys.argv) == 1:
        for part in PROGRAMME:
            main(part)
    else:
        flags = {name: f"--{name}" in sys.argv for name in ("deterministic", "change", "score")}
        main(Wanted(given or [100_000], **flags))
