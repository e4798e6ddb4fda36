"""The planner: reads a lake and a ledger and compares them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa

from snello.activation import gates
from snello.activation.audience import Audience, published_sync
from snello.activation.diff import diff
from snello.activation.ledger import Ledger
from snello.activation.leftovers import absent, overdue
from snello.activation.limit import travelling
from snello.activation.opening import changed_columns, open_run, run_id_after
from snello.activation.plan import Plan
from snello.activation.sync import Sync
from snello.activation.tombstones import erased
from snello.errors import ConfigError
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

NOBODY = pa.table({"key": pa.array([], pa.string())})
CUSTOMER_ALIASES = "customer_aliases"
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
        - raises ``BreakerOpen`` when the whole difference leaves the agreed bounds and nobody of it was erased,
          ``ContractError`` when a table is absent, ``ConfigError`` when the sync's mode knows no ``limit``
        """
        edition = Edition(self.lake)
        sync, _ = published_sync(edition, name)
        self.ledger.locks.take(name, "tap")
        self.ledger.locks.check_free(name, "target")
        with gates.turn(self.ledger, sync):
            plan = self._compared(edition, name, limit)
            return open_run(edition, self.ledger, self.salt, plan, allowed)

    def preview(self, name: str, limit: int | None = None) -> Plan:
        """What ``plan`` would give now: no lock is held, no breaker asked, and nothing written."""
        return self._compared(Edition(self.lake), name, limit)

    def _compared(self, edition: Edition, name: str, limit: int | None) -> Plan:
        sync, manifest = published_sync(edition, name)
        _check_limit(sync, limit)
        with ThreadPoolExecutor(2) as aside:  # all let go of the interpreter's lock
            kept, kept_back = aside.submit(self._kept, sync), aside.submit(self.ledger.exclusions, name)
            audience = Audience(edition, sync, self.salt, self.ledger.engine)
            for relation, rows in {**kept.result(), "known_exclusions": kept_back.result()}.items():
                audience.connection.register(relation, rows)
        connection = audience.connection
        _whose(connection, edition, sync)
        gates.admit(gates.Case(sync, connection, edition, self.ledger, self.salt))
        figures = diff(connection, sync.mode)
        upserts, removals = travelling(connection, limit)
        last = self.ledger.last_run(name)
        return Plan(
            sync,
            run_id_after(last.get("run_id")),
            manifest.run_id,
            manifest.tables[sync.table].version,
            figures,
            audience.schema,
            connection,
            upserts,
            removals,
            limit,
            tuple(changed_columns(last.get("columns"), audience.schema)),
        )

    def _kept(self, sync: Sync) -> dict[str, pa.Table]:
        ledger, name = self.ledger, sync.name
        settled, unsettled = ledger.standing_rows(name)
        found = {"settled": settled, "unsettled": unsettled}
        found["erased"] = erased(ledger, name)
        found["overdue"] = overdue(ledger, name, sync.expire_days) if unsettled.num_rows else NOBODY
        found["absent"] = absent(ledger, name, sync.mode) if unsettled.num_rows else NOBODY
        if sync.key != sync.customer:
            found["customers"] = ledger.customers(name)
        return found


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
