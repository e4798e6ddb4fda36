"""Findings on a screen: how many of each, then what each means and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from snello.cli.quality.reading import SEVERITIES, Quality
from snello.cli.screen import Block, Grid, Line

_COLUMNS = ("severity", "rule", "source", "stream", "findings")


def page(quality: Quality) -> Iterator[Block]:
    """The table, worst first; below it a line a rule with its cure, and where the rows are."""
    if not quality.findings:
        yield Line("Nothing is wrong with what arrived.", "ok")
        return
    yield Grid("", _COLUMNS, [[row[name] for name in _COLUMNS] for row in quality.findings])
    yield Line("")
    told = {row["rule"]: row for row in quality.findings}
    for rule, row in told.items():
        yield Line(f"{rule}: {row['meaning']} Next: {row['next_step']}")
    yield Line("")
    counts = [
        (sum(row["findings"] for row in quality.findings if row["severity"] == name), name) for name in SEVERITIES
    ]
    yield Line(", ".join(f"{number:,} {name}{'' if number == 1 else 's'}" for number, name in counts))
    yield Line("The rows themselves: select * from quality.quality_findings, in the warehouse.", "dim")
