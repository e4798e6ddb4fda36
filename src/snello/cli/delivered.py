"""Receipts of one sync: counts by status and code, and the newest, by key alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snello.cli import said
from snello.cli.ledger import Receipts
from snello.cli.screen import Block, Grid, Line
from snello.cli.tables import Row
from snello.errors import ConfigError, choices
from snello.lake import Lake
from snello.settings import Settings

STATUSES = (
    "delivered", "refused", "retrying", "dead", "dropped", "suppressed", "in_doubt", "superseded", "moved",
)  # fmt: skip
_COUNTS = ("op", "status", "code", "reason", "last_run", "all_runs")
SAID = 5  # looks at a platform's figures, the last
_LATEST = ("at", "key", "op", "status", "code", "attempt")


@dataclass(frozen=True)
class Delivered:
    """Receipts of ``sync``: how many of each kind, and the newest; ``said``: what the platform told after runs."""

    sync: str
    counts: list[Row]
    latest: list[Row]
    said: list[Row]


def read(hub: Settings, sync: str, status: str | None, limit: int) -> Delivered:
    """The receipts of ``sync``; raises ``ConfigError`` when there is no such sync or status."""
    receipts = Receipts(hub.ledger)
    published = Lake(hub.lake).manifest()
    known = {*receipts.syncs(), *(published.syncs if published else ())}
    if not known:
        raise ConfigError("receipts", "no sync has run yet", "run `meltano run loop`")
    if sync not in known:
        raise ConfigError("receipts", f"no sync {sync!r}", choices(sync, known))
    if status is not None and status not in STATUSES:
        raise ConfigError("receipts --status", f"no status {status!r}", choices(status, STATUSES))
    looks = said.rows(receipts.measured([sync])[-SAID:])
    return Delivered(sync, _counts(receipts, sync), receipts.latest(sync, status, limit), looks)


def _counts(receipts: Receipts, sync: str) -> list[Row]:
    runs = [run["run_id"] for run in receipts.last_runs() if run["sync"] == sync]
    recent = {_kind(row): row["rows"] for run in runs for row in receipts.counts(sync, run)}
    return [
        {"all_runs" if name == "rows" else name: value for name, value in row.items()}
        | {"last_run": recent.get(_kind(row), 0)}
        for row in receipts.counts(sync)
    ]


def _kind(row: Row) -> tuple[str, ...]:
    return (row["op"], row["status"], row["code"], row["reason"])


def page(found: Delivered) -> Iterator[Block]:
    """Counts first, then the newest rows."""
    if not found.counts:
        yield Line(f"{found.sync}: no receipt yet. Next: run `meltano run activate`.", "warn")
        return
    yield Grid(f"{found.sync}: receipts", _COUNTS, [[row[name] for name in _COUNTS] for row in found.counts])
    if found.said:
        yield Line("")
        yield from said.grid("What the platform said, beside what was expected", found.said)
    if found.latest:
        yield Line("")
        yield Grid(f"newest {len(found.latest)}", _LATEST, [[row[name] for name in _LATEST] for row in found.latest])
