"""A stage for the tests of gates: publish, plan, deliver, and look at who was kept back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from snello.activation import Ledger, Plan, Planner
from snello.activation.tables import contacts, suppressions
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.kit.records import records_of

CONSENT = {"purpose": "email_marketing", "channel": "email"}


def people(count: int, first: int = 0, **more: Any) -> list[dict[str, Any]]:
    return [
        {"customer_id": f"c{n:04}", "email": f"persona{n}@posta.example", **more} for n in range(first, first + count)
    ]


def stage_of(folder: Path, **terms: Any) -> Rehearsal:
    return Rehearsal(folder, **{**CONSENT, **terms})


def planned(stage: Rehearsal, sync: str | None = None, *, allowed: bool = False) -> Plan:
    """A plan, past the breaker where it is ``allowed``."""
    ledger, name = stage.ledger(), sync or stage.sync
    manifest = stage.lake.manifest()
    assert manifest is not None
    try:
        return Planner(stage.lake, ledger, SALT).plan(name, f"{name}@{manifest.run_id}" if allowed else None)
    finally:
        ledger.close()


def deliver(stage: Rehearsal, plan: Plan, *, ended: bool = True) -> list[dict[str, Any]]:
    """As a target would that takes everything; the rows."""
    ledger = stage.ledger()
    rows = [row for table in plan.tables() for row in records_of(table)]
    one = {"sync": plan.sync.name, "status": "delivered", "code": "", "attempt": 1}
    deliveries, receipts = [], []
    for row in rows:
        named = {"key": row["_key"], "op": row["_op"], "run_id": row["_run_id"], "customer": row["_customer"]}
        prints = {"fingerprint": row["_fingerprint"], "tried": row["_fingerprint"], "batch": None, "remote_id": None}
        deliveries.append({**one, **named, **prints})
        receipts.append({**one, **named, "reason": "", "fingerprint": row["_fingerprint"]})
    ledger.record(deliveries, receipts)
    sent = [row for row in rows if row["_op"] == "upsert" and row["_contact"]]
    contacted(ledger, {row["_customer"]: datetime.now(UTC) for row in sent}, plan.sync.name)
    if ended:
        ledger.finish(plan.run_id, plan.sync.name, "delivered")
    ledger.close()
    return rows


def contacted(ledger: Ledger, when: dict[str, datetime], sync: str = "another") -> None:
    rows = [{"customer": who, "channel": "sms", "sync": sync, "key": who, "at": at} for who, at in when.items()]
    if rows:
        with ledger.engine.begin() as connection:
            connection.execute(contacts.insert(), rows)


def kept(plan: Plan) -> dict[str, tuple[str, str, bool]]:
    rows = plan.connection.execute("select key, gate, code, keep from excluded").fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    return {key: (gate, code, keep) for key, gate, code, keep in rows}


def codes(plan: Plan) -> dict[str, str]:
    return {key: code for key, (_, code, _) in kept(plan).items()}


def sent(plan: Plan) -> dict[str, str]:
    """What travels: the key to ``upsert``, or to the reason of the removal."""
    return {row["_key"]: row["_reason"] or row["_op"] for table in plan.tables() for row in records_of(table)}


def list_of(stage: Rehearsal, *rows: dict[str, Any]) -> None:
    """Publish suppressions as the sources tell them."""
    names = ("customer_id", "channel", "reason", "address_hash", "source")
    table = pa.table(
        {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
        | {
            "since": pa.array(
                [row.get("since", datetime(2026, 1, 1, tzinfo=UTC)) for row in rows], pa.timestamp("us", "UTC")
            )
        }
    )
    stage.lake.publish({"suppressions": table}, run_id="lists")


def bounced(stage: Rehearsal, **row: Any) -> None:
    """Enter what came back to a channel, as the connector kit does."""
    ledger = stage.ledger()
    with ledger.engine.begin() as connection:
        fixed = {"kind": "customer", "channel": "email", "source": stage.sync, "at": datetime.now(UTC)}
        connection.execute(suppressions.insert(), {**fixed, **row})
    ledger.close()
