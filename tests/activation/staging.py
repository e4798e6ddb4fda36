"""Runs of a sync with a target that takes everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pyarrow as pa
from sqlalchemy import delete

from snello.activation import Plan, Planner
from snello.activation.tables import deliveries
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.kit.records import records_of


def planned(stage: Rehearsal, **how: Any) -> Plan:
    """The plan of a run now."""
    with closing(stage.ledger()) as ledger:
        return Planner(stage.lake, ledger, SALT).plan(stage.sync, **how)


def rows_of(plan: Plan) -> Iterator[dict[str, Any]]:
    """What travels."""
    return (row for table in plan.tables() for row in records_of(table))


def told(plan: Plan) -> list[tuple[str, str, str]]:
    """What travels, as op, key, and where it moves from or why it goes."""
    return [(row["_op"], row["_key"], row["_moved_from"] or row["_reason"]) for row in rows_of(plan)]


def end(stage: Rehearsal, plan: Plan, *, status: str = "delivered", code: str = "") -> None:
    """Write what a target would to which every row ends so."""
    with closing(stage.ledger()) as ledger:
        rows, proofs, gone = [], [], []
        for row in rows_of(plan):
            fixed = {"sync": stage.sync, "key": row["_key"], "op": row["_op"], "run_id": row["_run_id"], "code": code}
            both = {**fixed, "status": status, "attempt": 1, "customer": None}
            held = row["_fingerprint"] if status == "delivered" else None
            tries = {"fingerprint": held, "tried": row["_fingerprint"], "batch": None, "remote_id": None}
            rows.append({**both, **tries})
            proofs.append({**both, "fingerprint": row["_fingerprint"], "reason": row["_reason"]})
            gone += [row["_moved_from"]] if row["_moved_from"] and status == "delivered" else []
        ledger.record(rows, proofs)
        with ledger.engine.begin() as connection:
            for key in gone:
                connection.execute(delete(deliveries).where(deliveries.c.key == key))


def held(stage: Rehearsal) -> set[str]:
    """The keys that the ledger says the channel holds."""
    with closing(stage.ledger()) as ledger:
        return set(ledger.settled(stage.sync)["key"].to_pylist())


def run(stage: Rehearsal, **how: Any) -> list[tuple[str, str, str]]:
    """A run in which everything is taken; what travelled."""
    plan = planned(stage, **how)
    end(stage, plan)
    return told(plan)


def people(*keys: str, **more: Any) -> list[dict[str, Any]]:
    """Members with an address each."""
    return [{"customer_id": key, "email": f"{key}@example.it", **more} for key in keys]


def alias(stage: Rehearsal, aliases: Mapping[str, str]) -> None:
    """Publish who is another now."""
    table = pa.table(
        {
            "alias": pa.array(list(aliases), pa.string()),
            "customer_id": pa.array(list(aliases.values()), pa.string()),
        }
    )
    stage.lake.publish({"customer_aliases": table}, run_id="aliases")
