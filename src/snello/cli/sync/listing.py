"""Every published sync: where it goes, on what terms, and how its last run ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snello.cli.checks.ground import Ground
from snello.cli.ledger import Receipts
from snello.cli.screen import Block, Grid, Line
from snello.cli.sync.carriers import published
from snello.cli.tables import Row
from snello.settings import project_root

_COLUMNS = ("sync", "target", "mode", "purpose", "channel", "last_run", "outcome")


def listed() -> list[Row]:
    """One row a published sync, by name."""
    ground = Ground(project_root())
    last = {run["sync"]: run for run in Receipts(ground.hub.ledger).last_runs()}
    return [
        {
            "sync": name,
            "target": sync.target,
            "mode": sync.mode,
            "purpose": sync.purpose,
            "channel": sync.channel,
            "last_run": last.get(name, {}).get("started_at"),
            "outcome": last.get(name, {}).get("outcome"),
        }
        for name, sync in published(ground).items()
    ]


def page(rows: Sequence[Row]) -> Iterator[Block]:
    """The syncs as a grid."""
    if not rows:
        yield Line("no sync is published yet. Next: run `meltano run unify`.", "warn")
        return
    yield Grid("Syncs (times are UTC)", _COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])
