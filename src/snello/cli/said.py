"""What platforms said of audiences, beside what was expected of them, as rows of a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snello.activation.looks import Look
from snello.cli.screen import Block, Grid
from snello.cli.tables import Row

COLUMNS = ("at", "took", "found", "forecast", "off")


def rows(seen: Sequence[Look]) -> list[Row]:
    """A row a look: what the platform took, whom of it it found, how many were expected, and by how much it is off."""
    return [
        {
            "sync": look.row["sync"],
            "at": look.row["at"],
            "took": look.taken,
            "found": look.found,
            "forecast": look.row["forecast"],
            "off": look.off,
        }
        for look in seen
    ]


def last(seen: Sequence[Look]) -> list[Look]:
    """The last look of each sync, by sync."""
    return [look for _, look in sorted({look.row["sync"]: look for look in seen}.items())]


def away(off: float | None) -> str | None:
    """A share with its sign."""
    return None if off is None else f"{off:+.1%}"


def grid(title: str, found: Sequence[Row], *, by_sync: bool = False) -> Iterator[Block]:
    """The rows under a title; nothing where there is none."""
    if found:
        columns = ("sync", *COLUMNS) if by_sync else COLUMNS
        shown = [{**row, "off": away(row["off"])} for row in found]
        yield Grid(title, columns, [[row[name] for name in columns] for row in shown])
