"""The opening of a run: its name, the breaker, and what the ledger is told before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyarrow as pa

from snello.activation import breaker, gates, readings
from snello.activation.ledger import Ledger
from snello.activation.leftovers import close
from snello.activation.plan import Plan
from snello.errors import BreakerOpen
from snello.lake import Lake

STAMP = "%Y%m%dT%H%M%S%f"


def open_run(lake: Lake, ledger: Ledger, salt: str, plan: Plan, allowed: str | None) -> Plan:
    """Write the run, who is kept back and what earlier runs left; the plan, of which all travels.

    - where the breaker opens, nothing is written but the run: raises ``BreakerOpen``, or gives a plan that removes who
      was erased, and them alone, and whose ``stopped`` is to be raised once they went: to be forgotten is a right
    """
    figures, run = plan.figures, {"run_id": plan.run_id, "sync": plan.sync.name}
    counts = {"upserts": plan.upserts, "removals": plan.removals}
    counts |= {"unchanged": figures.unchanged, "suppressed": figures.suppressed}
    counts |= {"members": figures.members, "held": figures.held, "version": plan.version}
    known = {"publication": plan.publication, "mode": plan.sync.mode, "columns": _columns(plan.schema)}
    ledger.start({**run, **counts, **known})
    try:
        lessons = breaker.check(plan, ledger, allowed)
    except BreakerOpen as fault:
        erased = _erasures_alone(plan)
        if erased:  # they are a run of their own, before the one that is stopped
            run["run_id"] = run_id_after(plan.run_id)
            ledger.start({**run, **counts, **known})
        ledger.finish(**run, outcome="breaker open", message=fault.what)
        if not erased:
            raise
        what = fault.what.replace(breaker.NOTHING, f"{breaker.NOTHING} but {erased:,} removals of who was erased")
        return replace(plan, upserts=0, removals=erased, stopped=BreakerOpen(fault.where, what, fault.cure))
    readings.keep(plan, ledger, lessons)
    _exclude(ledger, plan)
    gates.remember(gates.Case(plan.sync, plan.connection, lake, ledger, salt))
    close(ledger, plan)
    if not figures.changes:
        ledger.finish(**run, outcome="nothing to deliver")
    return plan


def _erasures_alone(plan: Plan) -> int:
    """Leave of the changes the removals of people who were erased; how many they are."""
    plan.connection.execute("create or replace temp view changes as select * from removals where reason = 'erased'")
    return int(plan.connection.execute("select count(*) from changes").fetchall()[0][0])


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


def changed_columns(before: str | None, schema: pa.Schema) -> Iterator[str]:
    """How the columns differ from those of the run before, each in a sentence; every row then counts as changed."""
    if not before:
        return
    had, has = json.loads(before), json.loads(_columns(schema))
    for name in sorted({*had, *has}):
        if name not in had:
            yield f"column {name} is new ({has[name]})"
        elif name not in has:
            yield f"column {name} is gone"
        elif had[name] != has[name]:
            yield f"column {name} is {has[name]} now and was {had[name]}"


def _columns(schema: pa.Schema) -> str:
    return json.dumps({field.name: str(field.type) for field in schema})


def _exclude(ledger: Ledger, plan: Plan) -> None:
    """A receipt for each member who is kept back, once while nothing changes; a removal's own receipt says why."""
    sync, run_id = plan.sync, plan.run_id
    kept = plan.connection.execute(
        "select key, customer, gate, code, key in (select key from removals) from newly_excluded order by key"
    ).fetchall()
    ended = plan.connection.execute("select key from no_longer_excluded").fetchall()
    proof = {"run_id": run_id, "sync": sync.name, "op": "upsert", "status": "suppressed", "attempt": 0}
    ledger.exclude(
        sync.name,
        [{"key": k, "customer": who, "gate": gate, "code": code, "run_id": run_id} for k, who, gate, code, _ in kept],
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
