"""One run of the loop on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from snello.cli.screen import Block, Grid, Line
from snello.cli.summary.figures import Delivery, Summary

REASONS = 4


def page(summary: Summary, report: Path, nexts: list[tuple[str, str]]) -> Iterator[Block]:
    """Sources, people, segments, deliveries, time, and what to try next: at most forty-odd lines of 80 columns."""
    yield Line("What was read", "title")
    yield Grid(
        "",
        ("source", "technology", "streams", "rows", "refused"),
        [(row.source, row.technology, row.streams, row.rows, row.refused) for row in summary.sources],
    )
    yield Line("")
    yield from _people(summary)
    yield Line("")
    yield Line("Segments", "title")
    yield Grid("", ("segment", "customers"), [(count.name, count.rows) for count in summary.segments])
    yield Line("")
    yield from _deliveries(summary)
    yield Line("")
    total = sum(phase.seconds for phase in summary.phases)
    spent = ", ".join(f"{phase.phase} {phase.seconds:.0f}" for phase in summary.phases)
    yield Line(f"{total:.0f} s: {spent}")
    yield Line(f"report: {report}")
    yield Line("")
    yield from following(nexts)


def following(nexts: list[tuple[str, str]]) -> Iterator[Block]:
    """Commands to try, with what they show."""
    yield Line("Try next", "title")
    width = max(len(command) for command, _ in nexts)
    for command, told in nexts:
        yield Line(f"  {command.ljust(width)}  {told}")


def _people(summary: Summary) -> Iterator[Block]:
    people, truth = summary.people, summary.truth
    yield Line("Who is who", "title")
    yield Line(f"{people.customers:,} people found in {people.records:,} records, in {people.households:,} households")
    pairs = "pair" if people.kept_apart == 1 else "pairs"
    yield Line(
        f"{people.joined:,} duplicates joined, {people.kept_apart:,} {pairs} kept apart: contradictory or undecided"
    )
    if truth:
        yield Line(
            f"truth: {truth.people:,} known people, found as {truth.customers:,}; "
            f"precision {truth.precision:.4f}, recall {truth.recall:.4f}"
        )


def _deliveries(summary: Summary) -> Iterator[Block]:
    yield Line("Deliveries", "title")
    yield Grid(
        "",
        ("sync", "delivered", "removed", "unchanged", "suppressed", "refused"),
        [
            (row.sync, row.delivered, row.removed, row.unchanged, row.total("suppressed"), row.total("refused"))
            for row in summary.deliveries
        ],
    )
    for row in summary.deliveries:
        if row.reasons:
            yield Line(_why(row), "dim")


def _why(row: Delivery) -> str:
    told = ", ".join(f"{count.rows:,} {count.name}" for count in row.reasons[:REASONS])
    return f"{row.sync} held back: {told}"
