"""The last runs in figures: what each sync did, what it holds, what waits; no personal data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from snello.activation import Ledger
from snello.activation.tables import deliveries, exclusions, measurements, receipts, runs
from snello.lake import Lake

Row = dict[str, Any]


@dataclass(frozen=True)
class SyncState:
    """One sync.

    - ``outcome``: how its last run ended, `running` while it goes on; None when it never ran
    - ``counts``: receipts of the last run, (op, status) to rows
    - ``held``: rows that the channel holds; ``dead``: rows given up or refused; ``waiting``: to be sent again
    - ``excluded``: members kept back now, (gate, code) to rows
    - ``size``, ``matched``: the audience as the platform reported it last; None: it does not say
    """

    name: str
    published: bool
    run_id: str | None = None
    outcome: str | None = None
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    publication: str | None = None
    mode: str | None = None
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    held: int = 0
    dead: int = 0
    waiting: int = 0
    excluded: dict[tuple[str, str], int] = field(default_factory=dict)
    size: int | None = None
    matched: int | None = None

    def rows(self, *statuses: str) -> int:
        """Receipts of the last run with one of these statuses."""
        return sum(many for (_, status), many in self.counts.items() if status in statuses)


@dataclass(frozen=True)
class Observation:
    """Every sync, by name, and the publication that they feed on."""

    at: datetime
    run_id: str | None
    published_at: datetime | None
    syncs: tuple[SyncState, ...]


def observe(ledger: Ledger, lake: Lake) -> Observation:
    """The state of every sync that is published or ever ran."""
    manifest = lake.manifest()
    published = set(manifest.syncs) if manifest else set()
    look = _Look(ledger)
    syncs = tuple(look.sync(name, name in published) for name in sorted(published | look.known()))
    when = manifest.published_at if manifest else None
    return Observation(datetime.now(UTC), manifest.run_id if manifest else None, when, syncs)


class _Look:
    """Questions to a ledger, each asked once for all syncs."""

    def __init__(self, ledger: Ledger) -> None:
        # by name: runs are named in their order, whatever the clock did
        newest = select(runs.c.sync, func.max(runs.c.run_id).label("run")).group_by(runs.c.sync).subquery()
        last = select(runs).join(newest, (runs.c.sync == newest.c.sync) & (runs.c.run_id == newest.c.run))
        self._runs = {row["sync"]: row for row in ledger.asked(last)}
        self._counts = self._of_runs(ledger)
        standing = (deliveries.c.sync, deliveries.c.status, deliveries.c.fingerprint.isnot(None).label("held"))
        self._standing = ledger.asked(select(*standing, func.count().label("rows")).group_by(*standing))
        kept = (exclusions.c.sync, exclusions.c.gate, exclusions.c.code)
        now = select(*kept, func.count().label("rows")).where(exclusions.c.until.is_(None)).group_by(*kept)
        self._excluded = ledger.asked(now)
        looks = select(func.max(measurements.c.id)).group_by(measurements.c.sync)
        self._sizes = {
            row["sync"]: row for row in ledger.asked(select(measurements).where(measurements.c.id.in_(looks)))
        }

    def _of_runs(self, ledger: Ledger) -> list[Row]:
        kinds = (receipts.c.sync, receipts.c.op, receipts.c.status)
        last = [row["run_id"] for row in self._runs.values()]
        query = select(*kinds, func.count().label("rows")).where(receipts.c.run_id.in_(last)).group_by(*kinds)
        return ledger.asked(query) if last else []

    def known(self) -> set[str]:
        """Every sync that ever ran."""
        return set(self._runs)

    def sync(self, name: str, published: bool) -> SyncState:
        """One sync."""
        run, size = self._runs.get(name, {}), self._sizes.get(name, {})
        standing = list(_of(name, self._standing))
        return SyncState(
            name=name,
            published=published,
            run_id=run.get("run_id"),
            outcome=run.get("outcome"),
            message=run.get("message") or "",
            started_at=_utc(run.get("started_at")),
            finished_at=_utc(run.get("finished_at")),
            publication=run.get("publication"),
            mode=run.get("mode"),
            counts={(row["op"], row["status"]): row["rows"] for row in _of(name, self._counts)},
            held=sum(row["rows"] for row in standing if row["held"]),
            dead=sum(row["rows"] for row in standing if row["status"] in ("dead", "refused")),
            waiting=sum(row["rows"] for row in standing if row["status"] in ("retrying", "in_doubt")),
            excluded={(row["gate"], row["code"]): row["rows"] for row in _of(name, self._excluded)},
            size=size.get("size"),
            matched=size.get("matched"),
        )


def _of(name: str, rows: Iterable[Row]) -> Iterable[Row]:
    return (row for row in rows if row["sync"] == name)


def _utc(moment: datetime | None) -> datetime | None:
    """SQLite forgets that its moments are UTC."""
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
