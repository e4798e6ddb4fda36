"""What earlier runs left without an end: rows put off for too long, rows that waited for a payload that came.

- ``overdue``: upserts that the channel has put off for ``expire_days``; they are given up (dead, code expired)
- ``absent``: rows of mode ``update`` that the channel did not have; asked again once a day, and sent at once by a mode
  that adds
- ``close``: a receipt for each row given up, and for each try that another payload or a removal takes the place of; a
  row whose payload is again what the channel holds is no dead letter any more
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import func, or_, select

from snello.activation.engine import told
from snello.activation.ledger import UNKNOWN, UNSURE, Ledger
from snello.activation.plan import Plan
from snello.activation.tables import deliveries, receipts, runs

PUT_OFF = ("retrying", "in_doubt")
ASKED_AGAIN = timedelta(days=1)
NOT_THERE = "not_there"
UPDATE = "update"

SUPERSEDED = """
select u.key, u.tried, c.op = 'remove' as removed from unsettled as u
inner join changes as c using (key)
where u.op = 'upsert' and u.status <> 'delivered' and u.tried is not null and u.tried is distinct from c.fingerprint
order by u.key
"""

BACK = """
select u.key from unsettled as u
inner join want as w on w.key = u.key and w.fingerprint = u.fingerprint
anti join changes on changes.key = u.key
where u.op = 'upsert' and u.status in ('refused', 'dead', 'dropped')
order by u.key
"""

GIVEN_UP = "select key from overdue anti join changes using (key) order by key"


def overdue(ledger: Ledger, sync: str, days: int) -> pa.Table:
    """``key`` of the upserts that were put off for the first time more than ``days`` ago, and ever since."""
    before = datetime.now(UTC) - timedelta(days=days)
    since = receipts.alias()
    ended = (
        select(func.coalesce(func.max(since.c.id), 0))
        .where(since.c.sync == deliveries.c.sync, since.c.key == deliveries.c.key, since.c.status.not_in(PUT_OFF))
        .scalar_subquery()
    )
    same = (receipts.c.sync == deliveries.c.sync) & (receipts.c.key == deliveries.c.key)
    open_rows = (deliveries.c.sync == sync) & (deliveries.c.op == "upsert") & deliveries.c.status.in_(PUT_OFF)
    query = (
        select(deliveries.c.key)
        .join(receipts, same & receipts.c.status.in_(PUT_OFF) & (receipts.c.fingerprint == deliveries.c.tried))
        .where(open_rows, receipts.c.id > ended)
        .group_by(deliveries.c.key)
        .having(func.min(receipts.c.at) < before)
    )
    old = select(runs.c.run_id).where(runs.c.sync == sync, runs.c.started_at < before).limit(1)
    return _keys(ledger, query) if _keys(ledger, old).num_rows else _table([])


def absent(ledger: Ledger, sync: str, mode: str) -> pa.Table:
    """``key`` of the rows that the channel did not have a day ago or more; in another ``mode``, when last updated."""
    now = datetime.now(UTC)
    then = or_(deliveries.c.updated_at <= now - ASKED_AGAIN, deliveries.c.updated_at > now + ASKED_AGAIN)
    if mode != UPDATE:  # the channel said that it adds nobody in that mode, not that it refuses the row
        updates = select(runs.c.run_id).where(runs.c.sync == sync, runs.c.mode == UPDATE)
        then = or_(then, deliveries.c.run_id.in_(updates))
    refused = (deliveries.c.sync == sync) & (deliveries.c.status == "refused") & (deliveries.c.code == NOT_THERE)
    return _keys(ledger, select(deliveries.c.key).where(refused, then))


def close(ledger: Ledger, plan: Plan) -> None:
    """Write the receipts of what this plan ends, and give up what is overdue."""
    replaced = plan.connection.execute(SUPERSEDED).fetchall()
    given_up = [key for (key,) in plan.connection.execute(GIVEN_UP).fetchall()]
    told_before = _last_status(ledger, plan.sync.name, (key for key, *_ in replaced))
    proofs = [
        _proof(plan, key, "superseded", tried, "a removal takes its place" if removed else "its payload changed")
        for key, tried, removed in replaced
        if told_before.get(key) != "superseded"
    ]
    rows = []
    for row in ledger.lookup(plan.sync.name, given_up).values():
        reason = f"put off for more than {plan.sync.expire_days} days"
        unsure = row["status"] == "in_doubt" or row["code"] in UNSURE or row["handles"]
        arrived = UNKNOWN if unsure else None
        ended = {"status": "dead", "code": "expired", "batch": None, "run_id": plan.run_id}
        rows.append({**row, **ended, "fingerprint": arrived or row["fingerprint"]})
        proof = _proof(plan, row["key"], "dead", row["tried"], reason)
        proofs.append({**proof, "code": "expired", "attempt": row["attempt"]})
    for row in ledger.lookup(plan.sync.name, (key for (key,) in plan.connection.execute(BACK).fetchall())).values():
        settled = {"status": "delivered", "code": "", "attempt": 0, "batch": None, "run_id": plan.run_id}
        rows.append({**row, **settled, "tried": row["fingerprint"]})
        reason = "its payload is again what the channel holds"
        proofs.append(_proof(plan, row["key"], "superseded", row["tried"], reason))
    if rows or proofs:
        ledger.record(rows, proofs)


def _proof(plan: Plan, key: str, status: str, fingerprint: str, reason: str) -> dict[str, Any]:
    same = {"run_id": plan.run_id, "sync": plan.sync.name, "op": "upsert", "code": "", "attempt": 0}
    return {**same, "key": key, "status": status, "fingerprint": fingerprint, "reason": reason, "customer": None}


def _last_status(ledger: Ledger, sync: str, keys: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    with told(), ledger.engine.connect() as connection:
        for some in _chunks(list(keys)):
            mine = (receipts.c.sync == sync) & receipts.c.key.in_(some)
            newest = select(func.max(receipts.c.id)).where(mine).group_by(receipts.c.key)
            rows = connection.execute(select(receipts.c.key, receipts.c.status).where(receipts.c.id.in_(newest)))
            found |= {key: status for key, status in rows}
    return found


def _chunks(keys: list[str], size: int = 500) -> Iterator[list[str]]:
    for first in range(0, len(keys), size):
        yield keys[first : first + size]


def _keys(ledger: Ledger, query: Any) -> pa.Table:
    with told(), ledger.engine.connect() as connection:
        return _table([key for (key,) in connection.execute(query)])


def _table(keys: list[str]) -> pa.Table:
    return pa.table({"key": pa.array(keys, pa.string())})
