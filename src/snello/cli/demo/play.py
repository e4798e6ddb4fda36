"""Play the demo: services up, Meltano's loop, summary, report, services down."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from snello import sandbox
from snello.cli.demo import aurora, loop
from snello.cli.demo.blocks import Block
from snello.cli.demo.lanes import Done
from snello.cli.demo.stage import Stage
from snello.cli.report.page import write
from snello.cli.screen import working
from snello.cli.summary.figures import Phase, Summary
from snello.cli.summary.reading import read
from snello.cli.tables import Tables
from snello.errors import RowsRefused
from snello.lake import Lake
from snello.settings import project_root

_BEST_KNOWN = """
select customers.customer_id::varchar from customers
inner join "{audience}" as audience on customers.customer_id = audience.customer_id
order by customers.records desc, customers.customer_id limit 1
"""


@dataclass(frozen=True)
class Options:
    """What company to play with, and where; None takes the company that stands there, else the sandbox's default."""

    home: Path
    people: int | None
    seed: int | None
    port: int
    keep: bool


@dataclass(frozen=True)
class Played:
    """The figures of the run, where the report is, and commands to try next, each with what it shows."""

    summary: Summary
    report: Path
    nexts: list[tuple[str, str]]


def play(options: Options) -> tuple[Played, RowsRefused | None]:
    """Run the whole loop on the demo company; the services are stopped in the end unless they are to be kept.

    The second is what remains to be told where everything ran and more rows were refused than are tolerated.
    """
    stage = Stage.at(options.home)
    try:
        told = _Teller()
        with working("playing the demo"):
            began = time.perf_counter()
            services = stage.up(options.people, options.seed, options.port)
            started = Phase("sandbox", round(time.perf_counter() - began, 1))
            told(Done(Block("sandbox", f"{services.world.people:,} people"), started.seconds))
            phases, refused = loop.run(stage.project, stage.shell(services), stage.home / "run" / "loop.log", told)
        return _sum_up(stage, [started, *phases], options.keep), refused
    finally:
        if not options.keep:
            sandbox.down(stage.home)


def _sum_up(stage: Stage, phases: list[Phase], kept: bool) -> Played:
    hub = stage.hub()
    lake = Lake(hub.lake)
    summary = read(hub, aurora.TECHNOLOGIES, aurora.truth(stage.home, lake), phases)
    report = write(summary, aurora.TITLE, stage.home / "report.html")
    there = [] if stage.project == project_root() else [(f"cd {stage.project}", "where this demo's project is")]
    return Played(summary, _short(report), [*there, *nexts(lake, summary, kept)])


def nexts(lake: Lake, summary: Summary, kept: bool) -> list[tuple[str, str]]:
    """Commands that show something with the tables as they are now."""
    found = [(f"snello why {member}", "the whole chain behind one person") for member in _member(lake, summary)]
    found += [(f"snello receipts {sync.sync}", "what the channel took and refused") for sync in summary.deliveries[:1]]
    found += [("snello status", "last runs, quarantine, freshness")]
    found += [] if kept else [("snello demo up", "start the company's services again, then:")]
    found += [("meltano run loop", "nothing changed: nothing is delivered")]
    found += [("snello demo withdraw", "one customer withdraws; then run the loop")]
    return [*found, ("snello demo down", "stop the company's services")] if kept else found


def _member(lake: Lake, summary: Summary) -> list[str]:
    """Somebody who was delivered, known from as many records as anyone; nobody when no audience has members."""
    for sync in summary.deliveries:
        if sync.audience:
            tables = Tables.published(lake, ("customers", audience := f"activation/{sync.sync}"))
            return [tables.value(_BEST_KNOWN.format(audience=audience))]
    return []


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


class _Teller:
    """Tells each block that ended in one line on stderr."""

    def __init__(self) -> None:
        self.phase = ""

    def __call__(self, done: Done) -> None:
        phase = done.block.phase if done.block.phase != self.phase else ""
        self.phase = done.block.phase
        sys.stderr.write(f"{phase:9} {done.block.name:56} {done.seconds:6.1f} s\n")
        sys.stderr.flush()
