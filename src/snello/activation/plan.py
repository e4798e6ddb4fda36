"""A plan: everything that one run of a sync will send, computed before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import duckdb
import pyarrow as pa

from snello.activation import breaker
from snello.activation.audience import Audience, published_sync, quoted
from snello.activation.diff import Figures, diff
from snello.activation.ledger import Ledger
from snello.activation.sync import Sync
from snello.errors import BreakerOpen
from snello.lake import Lake

BIGINT_DIGITS = 18

ROWS = """
select
    c.op as _op, c.key as _key, c.fingerprint as _fingerprint, $purpose as _purpose, $channel as _channel,
    case when e.key is not null then {{
        'state': e.state, 'source': e.source, 'observed_at': e.observed_at, 'record_key': e.record_key
    }} end as _consent,
    c.reason as _reason, c.batch as _batch, $run_id as _run_id,
    {payload}
from changes as c
left join published as a on c.op = 'upsert' and a.{key}::varchar = c.key
left join (
    select
        customer_id::varchar as key, state, decided_by_source as source, observed_at::varchar as observed_at, record_key
    from consents semi join changes as wanted on wanted.key = consents.customer_id::varchar
    where purpose = $purpose and channel in ($channel, 'any')
    qualify row_number() over (partition by customer_id order by state <> 'yes' desc, channel = 'any') = 1
) as e on e.key = c.key
order by c.batch is null, c.batch, c.op, c.key
"""


@dataclass(frozen=True)
class Plan:
    """What one run sends; ``figures`` says it in numbers, ``records`` row by row."""

    sync: Sync
    run_id: str
    publication: str
    figures: Figures
    schema: pa.Schema
    connection: duckdb.DuckDBPyConnection

    def tables(self, chunk: int = 10_000) -> Iterator[pa.Table]:
        """The changes, flat: what earlier runs left open first, then removals, then upserts, by key."""
        if not self.figures.changes:
            return
        key = quoted(self.sync.key)
        payload = ", ".join(self._column(field) for field in self.schema)
        given = {"purpose": self.sync.purpose, "channel": self.sync.channel, "run_id": self.run_id}
        relation = self.connection.sql(ROWS.format(payload=payload, key=key), params=given)
        for batch in relation.to_arrow_reader(chunk):
            yield pa.Table.from_batches([batch])

    def _column(self, field: pa.Field) -> str:
        if field.name == self.sync.key:
            return f"c.key as {quoted(field.name)}"
        whole = pa.types.is_decimal(field.type) and field.type.scale == 0 and field.type.precision <= BIGINT_DIGITS
        cast = "bigint" if whole else "double" if pa.types.is_decimal(field.type) else ""
        return f"a.{quoted(field.name)}::{cast} as {quoted(field.name)}" if cast else f"a.{quoted(field.name)}"

    def sentence(self) -> str:
        """The plan in one line."""
        figures = self.figures
        words = [f"{self.sync.name}: {figures.members:,} members, "]
        if figures.changes == 0:
            words.append("0 changes: nothing to deliver")
        else:
            words.append(
                f"{figures.upserts:,} to upsert, {figures.removals:,} to remove, {figures.unchanged:,} unchanged"
            )
        if figures.waiting:
            words.append(f", {figures.waiting:,} refused before and unchanged")
        if figures.suppressed:
            words.append(f", {figures.suppressed:,} without consent")
        return "".join(words)


class Planner:
    """Compares a lake with a ledger, one sync at a time."""

    def __init__(self, lake: Lake, ledger: Ledger, salt: str) -> None:
        self.lake, self.ledger, self.salt = lake, ledger, salt

    def plan(self, name: str, allowed: str | None = None) -> Plan:
        """What a run of the sync would send now; nothing is sent or written but the run and new suppressions.

        - holds the sync's lock until the ledger is closed; raises ``RetryLater`` when another run holds it
        - raises ``BreakerOpen`` when it would remove more than agreed, ``ContractError`` when a table is absent
        """
        sync, manifest = published_sync(self.lake, name)
        self.ledger.locks.take(name, "tap")
        self.ledger.locks.check_free(name, "target")
        with ThreadPoolExecutor(1) as aside:  # both let go of the interpreter's lock
            held = aside.submit(lambda: (self.ledger.settled(name), self.ledger.unsettled(name)))
            audience = Audience(self.lake, sync, self.salt)
            settled, unsettled = held.result()
        audience.connection.register("settled", settled)
        audience.connection.register("unsettled", unsettled)
        plan = Plan(
            sync,
            _run_id(),
            manifest.run_id,
            diff(audience.connection, sync.mode),
            audience.schema,
            audience.connection,
        )
        self._open(plan, allowed)
        return plan

    def _open(self, plan: Plan, allowed: str | None) -> None:
        figures, run = plan.figures, {"run_id": plan.run_id, "sync": plan.sync.name}
        counts = {name: getattr(figures, name) for name in ("upserts", "removals", "unchanged", "suppressed")}
        self.ledger.start({**run, **counts})
        try:
            breaker.check(plan.sync, figures, plan.publication, allowed)
        except BreakerOpen as fault:
            self.ledger.finish(**run, outcome="breaker open", message=fault.what)
            raise
        self._suppress(plan)
        if not figures.changes:
            self.ledger.finish(**run, outcome="nothing to deliver")

    def _suppress(self, plan: Plan) -> None:
        """A receipt for each member who is kept back, once while nothing changes."""
        keys = plan.connection.execute("select key from newly_barred order by key").fetchall()
        proof = {
            "run_id": plan.run_id,
            "sync": plan.sync.name,
            "op": "upsert",
            "status": "suppressed",
            "code": "no_consent",
            "attempt": 0,
            "fingerprint": None,
        }
        reason = f"no consent to {plan.sync.purpose} by {plan.sync.channel}"
        current = {**proof, "tried": None, "batch": None, "remote_id": None}
        self.ledger.record(
            [{**current, "key": key} for (key,) in keys],
            [{**proof, "key": key, "reason": reason} for (key,) in keys],
        )


def _run_id() -> str:
    """Sorts by time, to the microsecond: the target tells by it which of two records is the older."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid4().hex[:6]}"
