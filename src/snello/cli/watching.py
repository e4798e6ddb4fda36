"""The last runs judged, told and measured, and how that is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from snello.activation import Ledger
from snello.cli.screen import Block, Grid, Line
from snello.cli.tables import Row
from snello.errors import ConfigError
from snello.lake import Lake
from snello.settings import Settings, variable
from snello.watch import Alert, Observation, Terms, judge, metrics, observe, tell
from snello.watch.telling import Addresses, dead_before

LATE = "SNELLO_LATE_HOURS"
_COLUMNS = ("sync", "outcome", "started_at", "delivered", "refused", "held", "waiting", "dead", "kept_back", "size")


@dataclass(frozen=True)
class Watched:
    """The summary of the last runs: every sync in figures, the alerts that stand, and which of them were told now."""

    publication: str | None
    syncs: list[Row]
    alerts: list[Alert]
    told: list[Alert]


def watch(hub: Settings, *, quiet: bool = False, metrics_file: Path | None = None) -> Watched:
    """Judge the last runs and, unless ``quiet``, tell what is new; metrics go to ``metrics_file`` when there is one."""
    ledger = Ledger(hub.ledger)
    try:
        seen = observe(ledger, Lake(hub.lake))
        alerts = judge(seen, Terms(hub.refused_tolerance, timedelta(hours=_hours()), dead_before(ledger)))
        if metrics_file is not None:
            _replace(metrics_file, metrics(seen, alerts))
        to = Addresses(variable("SNELLO_ALERT_WEBHOOK"), variable("SNELLO_ALERT_MAIL"))
        told = [] if quiet else tell(ledger, seen, alerts, to)
    finally:
        ledger.close()
    return Watched(seen.run_id, _rows(seen), alerts, told)


def page(seen: Watched) -> Iterator[Block]:
    """Syncs as a grid, alerts as sentences."""
    if seen.syncs:
        yield Grid(
            "Syncs, last run (times are UTC)", _COLUMNS, [[row[name] for name in _COLUMNS] for row in seen.syncs]
        )
    if not seen.alerts:
        yield Line("nothing that somebody must know", "ok")
    for alert in seen.alerts:
        yield Line(str(alert), "bad")


def _rows(seen: Observation) -> list[Row]:
    return [
        {
            "sync": sync.name,
            "outcome": sync.outcome,
            "message": sync.message,
            "run_id": sync.run_id,
            "started_at": sync.started_at,
            "finished_at": sync.finished_at,
            "delivered": sync.rows("delivered"),
            "refused": sync.rows("refused", "dead"),
            "held": sync.held,
            "waiting": sync.waiting,
            "dead": sync.dead,
            "kept_back": sum(sync.excluded.values()),
            "size": sync.size,
            "matched": sync.matched,
        }
        for sync in seen.syncs
    ]


def _replace(file: Path, text: str) -> None:
    """At once, for whoever reads it may read at any moment. Raises ``ConfigError`` when it cannot be written."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        fresh.write_text(text)
        fresh.replace(file)
    except OSError as error:
        what = f"{file.name} cannot be written ({error.strerror})"
        raise ConfigError("watch --metrics", what, "name a file in a folder that can be written to") from None


def _hours() -> float:
    given = variable(LATE)
    try:
        return float(given) if given else 36.0
    except ValueError:
        raise ConfigError(LATE, f"{given!r} is no number of hours", "write a number, such as 36") from None
