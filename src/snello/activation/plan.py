"""A plan: everything that one run of a sync will send, computed before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import duckdb
import pyarrow as pa

from snello.activation import breaker, gates
from snello.activation.audience import Audience, published_sync, quoted
from snello.activation.diff import Figures, diff
from snello.activation.ledger import Ledger
from snello.activation.sync import Sync
from snello.errors import BreakerOpen
from snello.lake import Lake

BIGINT_DIGITS = 18
WORDS = {"no_consent": "without consent"}

ROWS = """
select
    c.op as _op, c.key as _key, c.fingerprint as _fingerprint, $purpose as _purpose, $channel as _channel,
    case when e.key is not null then {{
        'state': e.state, 'source': e.source, 'observed_at': e.observed_at, 'record_key': e.record_key
    }} end as _consent,
    c.reason as _reason, c.batch as _batch, $run_id as _run_id,
    $mode as _mode, c.customer as _customer, $contact as _contact,
    null::varchar as _moved_from,
    {payload}
from changes as c
left join published as a on c.op = 'upsert' and a.{key}::varchar = c.key
left join (
    select
        customer_id::varchar as key, state, decided_by_source as source, observed_at::varchar as observed_at, record_key
    from consents semi join changes as wanted on wanted.customer = consents.customer_id::varchar
    where purpose = $purpose and channel in ($channel, 'any')
    qualify row_number() over (partition by customer_id order by state <> 'yes' desc, channel = 'any') = 1
) as e on e.key = c.customer
order by c.batch is null, c.batch, c.op, c.key
"""

HELD_PERSONS = """
create temp view held as
select key, key as customer from settled
union all
select key, key as customer from unsettled
"""

HELD_EVENTS = "create temp view held as select key, customer from customers"


@dataclass(frozen=True)
class Plan:
    """What one run sends; ``figures`` says it in numbers, ``records`` row by row."""

    sync: Sync
    run_id: str
    publication: str
    version: int
    figures: Figures
    schema: pa.Schema
    connection: duckdb.DuckDBPyConnection

    def tables(self, chunk: int = 10_000) -> Iterator[pa.Table]:
        """The changes, flat: what earlier runs left open first, then removals, then upserts, by key."""
        if not self.figures.changes:
            return
        key = quoted(self.sync.key)
        payload = ", ".join(self._column(field) for field in self.schema)
        sync = self.sync
        given: dict[str, str | bool] = {
            "purpose": sync.purpose,
            "channel": sync.channel,
            "mode": sync.mode,
            "contact": sync.contact,
        }
        given["run_id"] = self.run_id
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
        words.extend(f", {many:,} {WORDS.get(code, code)}" for code, many in figures.codes.items())
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
            kept = aside.submit(self._kept, sync)
            audience = Audience(self.lake, sync, self.salt)
            for relation, rows in kept.result().items():
                audience.connection.register(relation, rows)
        audience.connection.execute(HELD_PERSONS if sync.key == sync.customer else HELD_EVENTS)
        gates.admit(audience.connection)
        plan = Plan(
            sync,
            _run_id(),
            manifest.run_id,
            manifest.tables[sync.table].version,
            diff(audience.connection, sync.mode),
            audience.schema,
            audience.connection,
        )
        self._open(plan, allowed)
        return plan

    def _kept(self, sync: Sync) -> dict[str, pa.Table]:
        ledger, name = self.ledger, sync.name
        found = {"settled": ledger.settled(name), "unsettled": ledger.unsettled(name)}
        found["known_exclusions"] = ledger.exclusions(name)
        if sync.key != sync.customer:
            found["customers"] = ledger.customers(name)
        return found

    def _open(self, plan: Plan, allowed: str | None) -> None:
        figures, run = plan.figures, {"run_id": plan.run_id, "sync": plan.sync.name}
        counts = {name: getattr(figures, name) for name in ("upserts", "removals", "unchanged", "suppressed")}
        known = {
            "publication": plan.publication,
            "version": plan.version,
            "members": figures.members,
            "held": figures.held,
        }
        self.ledger.start({**run, **counts, **known})
        try:
            breaker.check(plan.sync, figures, plan.publication, allowed)
        except BreakerOpen as fault:
            self.ledger.finish(**run, outcome="breaker open", message=fault.what)
            raise
        self._exclude(plan)
        if not figures.changes:
            self.ledger.finish(**run, outcome="nothing to deliver")

    def _exclude(self, plan: Plan) -> None:
        """A receipt for each member who is kept back, once while nothing changes; a removal's own receipt says why."""
        sync, run_id = plan.sync, plan.run_id
        kept = plan.connection.execute(
            "select key, customer, gate, code, key in (select key from removals) from newly_excluded order by key"
        ).fetchall()
        ended = plan.connection.execute("select key from no_longer_excluded").fetchall()
        proof = {"run_id": run_id, "sync": sync.name, "op": "upsert", "status": "suppressed", "attempt": 0}
        self.ledger.exclude(
            sync.name,
            [
                {"key": k, "customer": who, "gate": gate, "code": code, "run_id": run_id}
                for k, who, gate, code, _ in kept
            ],
            (key for (key,) in ended),
            [
                {
                    **proof,
                    "key": k,
                    "customer": who,
                    "code": code,
                    "fingerprint": None,
                    "reason": _reason(sync, gate, code),
                }
                for k, who, gate, code, removed in kept
                if not removed
            ],
        )


def _reason(sync: Sync, gate: str, code: str) -> str:
    return f"no consent to {sync.purpose} by {sync.channel}" if gate == "consent" else f"{gate}: {code}"


def _run_id() -> str:
    """Sorts by time, to the microsecond: the target tells by it which of two records is the older."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid4().hex[:6]}"
