"""The planner: reads a lake and a ledger, compares them, and opens a run on what differs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import duckdb
import pyarrow as pa

from snello.activation import breaker, gates, readings
from snello.activation.audience import Audience, published_sync
from snello.activation.diff import diff, travelling
from snello.activation.ledger import Ledger
from snello.activation.leftovers import absent, close, overdue
from snello.activation.plan import Plan
from snello.activation.sync import Sync
from snello.activation.tombstones import erased
from snello.errors import BreakerOpen, ConfigError
from snello.lake import Lake, Manifest

HELD_PERSONS = """
create temp view held as
select h.key, {customer} as customer from (
    select key from settled
    union all
    select key from unsettled
) as h {who}
"""

HELD_EVENTS = """
create temp view held as
select h.key, {customer} as customer from customers as h {who}
"""

CUSTOMER_ALIASES = "customer_aliases"
STAMP = "%Y%m%dT%H%M%S%f"

ALIASES = "create temp table aliases as select {alias} as key, {customer} as customer from ({table}) where {some}"


class Edition(Lake):
    """A lake as one publication left it: what is published while a run is under way is not seen by it."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake.root)
        self._edition = lake.manifest()

    def manifest(self) -> Manifest | None:
        """The manifest as it was when the run began."""
        return self._edition


class Planner:
    """Compares a lake with a ledger, one sync at a time."""

    def __init__(self, lake: Lake, ledger: Ledger, salt: str) -> None:
        self.lake, self.ledger, self.salt = lake, ledger, salt

    def plan(self, name: str, allowed: str | None = None, limit: int | None = None) -> Plan:
        """What a run of the sync sends now; nothing is sent or written but the run and who is kept back.

        - holds the sync's lock until the ledger is closed; raises ``RetryLater`` when another run holds it
        - raises ``BreakerOpen`` when the whole difference leaves the agreed bounds, ``ContractError`` when a table is
          absent, ``ConfigError`` when the sync's mode knows no ``limit``
        """
        edition = Edition(self.lake)
        published_sync(edition, name)
        self.ledger.locks.take(name, "tap")
        self.ledger.locks.check_free(name, "target")
        plan = self._compared(edition, name, limit)
        self._open(plan, allowed)
        return plan

    def preview(self, name: str, limit: int | None = None) -> Plan:
        """What ``plan`` would give now: no lock is held, no breaker asked, and nothing written."""
        return self._compared(Edition(self.lake), name, limit)

    def _compared(self, edition: Edition, name: str, limit: int | None) -> Plan:
        sync, manifest = published_sync(edition, name)
        _check_limit(sync, limit)
        with ThreadPoolExecutor(1) as aside:  # both let go of the interpreter's lock
            kept = aside.submit(self._kept, sync)
            audience = Audience(edition, sync, self.salt)
            for relation, rows in kept.result().items():
                audience.connection.register(relation, rows)
        connection = audience.connection
        _whose(connection, edition, sync)
        gates.admit(gates.Case(sync, connection, edition, self.ledger, self.salt))
        figures = diff(connection, sync.mode)
        upserts, removals = travelling(connection, limit)
        return Plan(
            sync,
            run_id_after(self.ledger.last_run_id(name)),
            manifest.run_id,
            manifest.tables[sync.table].version,
            figures,
            audience.schema,
            connection,
            upserts,
            removals,
            limit,
        )

    def _kept(self, sync: Sync) -> dict[str, pa.Table]:
        ledger, name = self.ledger, sync.name
        found = {"settled": ledger.settled(name), "unsettled": ledger.unsettled(name)}
        found["known_exclusions"] = ledger.exclusions(name)
        found["erased"] = erased(ledger, name)
        found["overdue"] = overdue(ledger, name, sync.expire_days)
        found["absent"] = absent(ledger, name) if sync.mode == "update" else found["overdue"].slice(0, 0)
        if sync.key != sync.customer:
            found["customers"] = ledger.customers(name)
        return found

    def _open(self, plan: Plan, allowed: str | None) -> None:
        figures, run = plan.figures, {"run_id": plan.run_id, "sync": plan.sync.name}
        counts = {"upserts": plan.upserts, "removals": plan.removals}
        counts |= {"unchanged": figures.unchanged, "suppressed": figures.suppressed}
        known = {
            "publication": plan.publication,
            "version": plan.version,
            "members": figures.members,
            "held": figures.held,
        }
        self.ledger.start({**run, **counts, **known})
        try:
            breaker.check(plan, self.ledger, allowed)
        except BreakerOpen as fault:
            self.ledger.finish(**run, outcome="breaker open", message=fault.what)
            raise
        readings.keep(plan, self.ledger)
        gates.remember(gates.Case(plan.sync, plan.connection, self.lake, self.ledger, self.salt))
        self._exclude(plan)
        close(self.ledger, plan)
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
                    "reason": gates.reason_of(sync, gate, code),
                }
                for k, who, gate, code, removed in kept
                if not removed
            ],
        )


def _check_limit(sync: Sync, limit: int | None) -> None:
    if limit is None:
        return
    if limit < 1:
        raise ConfigError(f"sync {sync.name}", f"a limit of {limit} sends nothing", "give one row at least")
    if sync.mode == "replace":
        what = "mode replace knows no limit: the channel would hold those rows and no others"
        raise ConfigError(f"sync {sync.name}", what, "run it without a limit, or look first: `snello sync plan`")


def _whose(connection: duckdb.DuckDBPyConnection, edition: Edition, sync: Sync) -> None:
    """Leave ``aliases`` and ``held`` behind: whom each row of the ledger is about, whoever that is by now."""
    manifest = edition.manifest()
    known = manifest is not None and CUSTOMER_ALIASES in manifest.tables
    table = edition.published_sql(CUSTOMER_ALIASES) if known else "select null as alias, null as customer_id"
    names = {"alias": "alias::varchar", "customer": "customer_id::varchar", "some": "true" if known else "false"}
    connection.execute(ALIASES.format(table=table, **names))
    merged = connection.execute("select count(*) from aliases").fetchall()[0][0]
    own = "h.key" if sync.key == sync.customer else "h.customer"
    customer = f"coalesce(a.customer, {own})" if merged else own
    who = f"left join aliases as a on a.key = {own}" if merged else ""
    held = HELD_PERSONS if sync.key == sync.customer else HELD_EVENTS
    connection.execute(held.format(customer=customer, who=who))


def run_id_after(last: str | None) -> str:
    """A name that sorts behind the ``last`` run of the sync, by time while the clock goes forward.

    The target tells by it which of two records is the older; a clock that was set back must not make a replay of a run.
    """
    now = datetime.now(UTC)
    try:
        then = datetime.strptime((last or "").partition("-")[0], STAMP).replace(tzinfo=UTC)
    except ValueError:
        then = now
    return f"{max(now, then + timedelta(microseconds=1)):{STAMP}}-{uuid4().hex[:6]}"
