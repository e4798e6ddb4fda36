"""The ledger: what each channel holds, what became of every change, and every run.

An intent is written before a call and its outcome after it, so a crash leaves rows *in doubt*: the next run repeats
them under the same idempotency key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from snello.activation.columns import keyed
from snello.activation.engine import furnish, open_engine, told
from snello.activation.locks import SyncLock
from snello.activation.tables import deliveries, exclusions, receipts, reservations, runs

Row = Mapping[str, Any]
CHUNK = 5_000
Item = TypeVar("Item")
UNKNOWN = "?"  # fingerprint of a row that the channel may hold, we do not know with what content
# codes of tries that may have arrived
UNSURE = frozenset({"timeout", "unreachable", "stopped", "no_verdict", "in_doubt", "processing"})
_COLUMNS = ("key", "fingerprint", "tried", "status", "op", "batch")
_SETTLED = "status = 'delivered' and op = 'upsert'"
_UNSETTLED = pa.schema([(name, pa.string()) for name in _COLUMNS]).empty_table()


class Ledger:
    """The ledger at a SQLAlchemy URL; its tables are made when they are missing."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self.locks = SyncLock(self.engine)
        with told():
            furnish(self.engine)

    def close(self) -> None:
        """Close the connections; locks held by this process are released."""
        self.locks.release_all()
        self.engine.dispose()

    # ---- what a channel holds

    def settled(self, sync: str) -> pa.Table:
        """``key, fingerprint`` of the rows delivered as they were meant; nearly all of a healthy sync."""
        return self._keyed("deliveries", {"fingerprint": "fingerprint"}, sync, _SETTLED)

    def unsettled(self, sync: str) -> pa.Table:
        """Every other row of the sync, with what the diff needs to know of it."""
        nullable = {name: f"coalesce({name}, '')" for name in ("fingerprint", "tried", "batch")}
        shown = {name: nullable.get(name, name) for name in _COLUMNS if name != "key"}
        return self._keyed("deliveries", shown, sync, f"not ({_SETTLED})")

    def standing_rows(self, sync: str) -> tuple[pa.Table, pa.Table]:
        """``settled`` and ``unsettled``, in one reading where every row is settled, as it is on most days."""
        settled = {"fingerprint": f"coalesce(case when {_SETTLED} then fingerprint end, '')"}
        found = self._keyed("deliveries", settled, sync)
        if not found["fingerprint"].null_count:
            return found, _UNSETTLED
        return found.filter(pc.is_valid(found["fingerprint"])), self.unsettled(sync)

    def customers(self, sync: str) -> pa.Table:
        """``key, customer`` of every row of a sync whose key names another thing than the customer."""
        return self._keyed("deliveries", {"customer": "coalesce(customer, key)"}, sync)

    def exclusions(self, sync: str) -> pa.Table:
        """``key, gate, code`` of the members whom the last run kept back."""
        return self._keyed("exclusions", {"gate": "gate", "code": "code"}, sync, "until is null")

    def _keyed(self, table: str, shown: Mapping[str, str], sync: str, only: str = "true") -> pa.Table:
        with told():
            return keyed(self.engine, table, shown, sync, only)

    def lookup(self, sync: str, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The delivery rows of some keys, by key."""
        found: dict[str, dict[str, Any]] = {}
        with told(), self.engine.connect() as connection:
            for some in _chunks(keys, 500):
                query = select(deliveries).where(deliveries.c.sync == sync, deliveries.c.key.in_(some))
                found |= {row["key"]: dict(row) for row in connection.execute(query).mappings()}
        return found

    # ---- writing

    def record(self, current: Sequence[Row], proofs: Sequence[Row] = ()) -> None:
        """Replace delivery rows and append receipts in one transaction."""
        now = datetime.now(UTC)
        with self._writing() as connection:
            for some in _chunks(({**row, "updated_at": now} for row in current), CHUNK):
                connection.execute(self._replacing(deliveries), some)
            for some in _chunks(({**row, "at": now} for row in proofs), CHUNK):
                connection.execute(receipts.insert(), some)

    def exclude(self, sync: str, kept: Sequence[Row], ended: Iterable[str], proofs: Sequence[Row] = ()) -> None:
        """Note who is kept back from now on and who no longer is, with their receipts, in one transaction."""
        now = datetime.now(UTC)
        with self._writing() as connection:
            for keys in _chunks(ended, 500):
                mine = update(exclusions).where(exclusions.c.sync == sync, exclusions.c.key.in_(keys))
                connection.execute(mine.values(until=now))
            for some in _chunks(({**row, "sync": sync, "since": now, "until": None} for row in kept), CHUNK):
                connection.execute(self._replacing(exclusions), some)
            for some in _chunks(({**row, "at": now} for row in proofs), CHUNK):
                connection.execute(receipts.insert(), some)

    def start(self, run: Row) -> None:
        """Open a run; runs of the same sync that never ended are closed as interrupted."""
        now = datetime.now(UTC)
        left = update(runs).where(runs.c.sync == run["sync"], runs.c.finished_at.is_(None))
        with self._writing() as connection:
            connection.execute(left.values(outcome="interrupted", finished_at=now))
            connection.execute(runs.insert(), {"outcome": "running", "message": "", **run, "started_at": now})

    def finish(self, run_id: str, sync: str, outcome: str, **figures: Any) -> None:
        """Close a run with its outcome and what columns of ``runs`` are known by now; it reserves no contact more."""
        mine = update(runs).where(runs.c.run_id == run_id, runs.c.sync == sync)
        reserved = delete(reservations).where(reservations.c.sync == sync, reservations.c.run_id == run_id)
        with self._writing() as connection:
            connection.execute(mine.values(outcome=outcome, finished_at=datetime.now(UTC), **figures))
            connection.execute(reserved)

    def last_run(self, sync: str) -> dict[str, Any]:
        """The run of the sync with the greatest name; empty before the first."""
        found = self.asked(select(runs).where(runs.c.sync == sync).order_by(runs.c.run_id.desc()).limit(1))
        return found[0] if found else {}

    # ---- reading, for people

    def recent_runs(self, sync: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """The latest runs, newest first by name: a clock may have been set back between two."""
        query = select(runs).order_by(runs.c.run_id.desc(), runs.c.sync).limit(limit)
        return self.asked(query if sync is None else query.where(runs.c.sync == sync))

    def receipts(
        self, sync: str | None = None, key: str | None = None, run_id: str | None = None, limit: int = 1000
    ) -> list[dict[str, Any]]:
        """Receipts, newest first, of a sync, a customer, a run, or all."""
        query = select(receipts).order_by(receipts.c.id.desc()).limit(limit)
        for column, wanted in ((receipts.c.sync, sync), (receipts.c.key, key), (receipts.c.run_id, run_id)):
            query = query if wanted is None else query.where(column == wanted)
        return self.asked(query)

    def standing(self, sync: str) -> dict[tuple[str, str, str], int]:
        """How many rows of the sync stand where: ``(op, status, code) -> rows``."""
        kinds = (deliveries.c.op, deliveries.c.status, deliveries.c.code)
        query = select(*kinds, func.count().label("rows")).where(deliveries.c.sync == sync).group_by(*kinds)
        return {(row["op"], row["status"], row["code"]): row["rows"] for row in self.asked(query)}

    def asked(self, query: Any) -> list[dict[str, Any]]:
        """The rows that a SELECT of the ledger's tables finds."""
        with told(), self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with told(), self.engine.begin() as connection:
            yield connection

    def _replacing(self, table: Table) -> Any:
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table)
        keys = [column.name for column in table.primary_key]
        rest = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
        return statement.on_conflict_do_update(index_elements=keys, set_=rest)


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
