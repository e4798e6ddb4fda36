"""The ledger as a person reads it: runs of the syncs, what each channel holds, receipts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import func, inspect, select, union

from snello.activation.dead import DEAD
from snello.activation.engine import open_engine, told, widen
from snello.activation.looks import Look, looks
from snello.activation.tables import deliveries, exclusions, measurements, receipts, runs
from snello.cli.tables import Row

_RECEIPT = ("at", "key", "op", "status", "code", "reason", "attempt", "run_id")


class Receipts:
    """The ledger at ``url``, read only: one that does not exist yet has no rows and is not made."""

    def __init__(self, url: str) -> None:
        self._url = url

    def syncs(self) -> list[str]:
        """Every sync that ever ran or wrote a receipt."""
        return sorted(row["sync"] for row in self._rows(union(select(runs.c.sync), select(receipts.c.sync))))

    def last_runs(self) -> list[Row]:
        """The last run of each sync, with how many rows it delivered."""
        newest = select(runs.c.sync, func.max(runs.c.run_id).label("run_id")).group_by(runs.c.sync).subquery()
        latest = (runs.c.sync == newest.c.sync) & (runs.c.run_id == newest.c.run_id)
        found = self._rows(select(runs).join(newest, latest).order_by(runs.c.sync))
        for run in found:
            run["delivered"] = total(self.counts(run["sync"], run["run_id"]), status="delivered")
        return found

    def counts(self, sync: str, run_id: str | None = None) -> list[Row]:
        """Receipts of ``sync`` by operation, status, code and reason, of one run or of all."""
        kinds = (receipts.c.op, receipts.c.status, receipts.c.code, receipts.c.reason)
        query = select(*kinds, func.count().label("rows")).where(receipts.c.sync == sync)
        if run_id is not None:
            query = query.where(receipts.c.run_id == run_id)
        return self._rows(query.group_by(*kinds).order_by(func.count().desc(), *kinds))

    def last_version(self, sync: str) -> int | None:
        """The version of its audience that ``sync`` last delivered in whole; None when that is not known."""
        ended = runs.c.outcome.in_(("delivered", "rows refused", "nothing to deliver"))
        query = select(runs.c.version).where(runs.c.sync == sync, ended).order_by(runs.c.run_id.desc()).limit(1)
        return next((row["version"] for row in self._rows(query)), None)

    def undelivered(self, sync: str) -> list[Row]:
        """Rows of ``sync`` that stand undelivered now, with those kept back by a gate, by op, status and code."""
        kinds = (deliveries.c.op, deliveries.c.status, deliveries.c.code)
        query = select(*kinds, func.count().label("rows")).where(deliveries.c.sync == sync)
        found = self._rows(query.where(deliveries.c.status != "delivered").group_by(*kinds).order_by(*kinds))
        kept = select(exclusions.c.code, func.count().label("rows")).where(exclusions.c.sync == sync)
        now = kept.where(exclusions.c.until.is_(None)).group_by(exclusions.c.code).order_by(exclusions.c.code)
        return [*found, *({"op": "upsert", "status": "suppressed", **row} for row in self._kept(now))]

    def dead(self, sync: str) -> int:
        """How many rows of ``sync`` were refused or given up and stand so now."""
        return sum(row["rows"] for row in self.undelivered(sync) if row["status"] in DEAD)

    def measured(self, syncs: Sequence[str]) -> list[Look]:
        """What the platforms of ``syncs`` said of their audiences after each run, the eldest first."""
        if self._engine is None or not inspect(self._engine).has_table(measurements.name):
            return []  # nothing was measured since there is a table for it
        return looks(self, syncs)

    def latest(self, sync: str, status: str | None, limit: int) -> list[Row]:
        """The newest receipts of ``sync`` first."""
        query = select(*(receipts.c[name] for name in _RECEIPT)).where(receipts.c.sync == sync)
        if status is not None:
            query = query.where(receipts.c.status == status)
        return self._rows(query.order_by(receipts.c.id.desc()).limit(limit))

    def held(self, sync: str, key: str) -> Row | None:
        """How the last change of ``key`` in ``sync`` ended; None when there never was one."""
        kept = (deliveries.c.op, deliveries.c.status, deliveries.c.code, deliveries.c.run_id, deliveries.c.updated_at)
        found = self._rows(select(*kept).where(deliveries.c.sync == sync, deliveries.c.key == key))
        return found[0] if found else None

    def excluded(self, sync: str, key: str) -> Row | None:
        """Which gate keeps ``key`` back from ``sync`` now; None when none does."""
        kept = (exclusions.c.gate, exclusions.c.code, exclusions.c.since)
        query = select(*kept).where(exclusions.c.sync == sync, exclusions.c.key == key, exclusions.c.until.is_(None))
        return next(iter(self._kept(query)), None)

    def of(self, sync: str, key: str) -> list[Row]:
        """The receipts of one customer in ``sync``, newest first."""
        query = select(*(receipts.c[name] for name in _RECEIPT if name != "key"))
        return self._rows(query.where(receipts.c.sync == sync, receipts.c.key == key).order_by(receipts.c.id.desc()))

    def asked(self, query: Any) -> list[Row]:
        """The rows that a SELECT of the ledger's tables finds."""
        return self._rows(query)

    def _kept(self, query: Any) -> list[Row]:
        """Rows of the exclusions, which a ledger that nothing has run on since has no table for."""
        if self._engine is None or not inspect(self._engine).has_table(exclusions.name):
            return []
        return self._rows(query)

    @cached_property
    def _engine(self) -> Any:
        file = self._url.removeprefix("sqlite:///")
        if file != self._url and not Path(file).is_file():
            return None  # asking SQLite would create it
        engine = open_engine(self._url)
        with told():
            if not inspect(engine).has_table(receipts.name):
                return None
            widen(engine)
        return engine

    def _rows(self, query: Any) -> list[Row]:
        if self._engine is None:
            return []
        with told(), self._engine.connect() as connection:
            return [_aware(row) for row in connection.execute(query).mappings()]


def _aware(row: Any) -> Row:
    """SQLite forgets that its moments are UTC."""
    return {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
        for name, value in row.items()
    }


def total(rows: Sequence[Row], **kinds: str) -> int:
    """How many receipts the counts in ``rows`` hold of one kind."""
    return sum(row["rows"] for row in rows if all(row[name] == value for name, value in kinds.items()))
