"""Play the demo: services up, Meltano's loop, summary, report, services down."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from snello import sandbox
from snello.cli.demo import aurora, loop
from snello.cli.demo.stage import Stage
from snello.cli.report.page import write
from snello.cli.screen import working
from snello.cli.summary.figures import Phase, Summary
from snello.cli.summary.reading import read
from snello.cli.tables import Tables
from snello.lake import Lake


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


def play(options: Options) -> Played:
    """Run the whole loop on the demo company; the services are stopped in the end unless they are to be kept."""
    stage = Stage.at(options.home)
    try:
        told = _Teller()
        with working("playing the demo"):
            began = time.perf_counter()
            services = stage.up(options.people, options.seed, options.port)
            started = Phase("sandbox", round(time.perf_counter() - began, 1))
            told(loop.Done(loop.Block("sandbox", f"{services.world.people:,} people"), started.seconds))
            phases = loop.run(stage.project, stage.shell(services), stage.home / "run" / "loop.log", told)
        return _sum_up(stage, [started, *phases], options.keep)
    finally:
        if not options.keep:
            sandbox.down(stage.home)


def _sum_up(stage: Stage, phases: list[Phase], kept: bool) -> Played:
    hub = stage.hub()
    lake = Lake(hub.lake)
    summary = read(hub, aurora.TECHNOLOGIES, aurora.truth(stage.home, lake), phases)
    report = write(summary, aurora.TITLE, stage.home / "report.html")
    return Played(summary, _short(report), nexts(lake, summary, kept))


def nexts(lake: Lake, summary: Summary, kept: bool) -> list[tuple[str, str]]:
    """Commands that show something with the tables as they are now."""
    tables = Tables.published(lake, ("segments",))
    member = tables.value("select min(customer_id) from segments where segment = $name", {"name": _smallest(summary)})
    found = [(f"snello why {member}", "the whole chain behind one person")] if member else []
    found += [(f"snello receipts {sync.sync}", "what the channel took and refused") for sync in summary.deliveries[:1]]
    found += [("snello status", "last runs, quarantine, freshness")]
    found += [] if kept else [("snello demo up", "start the company's services again, then:")]
    return [
        *found,
        ("meltano run loop", "nothing changed: nothing is delivered"),
        ("snello demo withdraw", "one customer withdraws; then run the loop"),
    ]


def _smallest(summary: Summary) -> str:
    return min(summary.segments, key=lambda count: count.rows).name if summary.segments else ""


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


class _Teller:
    """Tells each block that ended in one line on stderr."""

    def __init__(self) -> None:
        self.phase = ""

    def __call__(self, done: loop.Done) -> None:
        phase = done.block.phase if done.block.phase != self.phase else ""
        self.phase = done.block.phase
        sys.stderr.write(f"{phase:9} {done.block.name:56} {done.seconds:6.1f} s\n")
        sys.stderr.flush()
