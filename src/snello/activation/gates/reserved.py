"""Contacts that a run under way is about to make: written as it is planned, so that whoever is planned next sees them.

Syncs that contact people are planned one at a time; what a run has planned counts until its row is tried, or the run is
over. A run of which nothing is heard, whose tap and target both let go of the sync, counts ten minutes more: messages
may be on their way from one to the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta

from sqlalchemy import delete

from snello.activation.engine import told
from snello.activation.gates.case import Case
from snello.activation.ledger import CHUNK, Ledger
from snello.activation.sync import Sync
from snello.activation.tables import reservations
from snello.errors import RetryLater

ON_THEIR_WAY = timedelta(minutes=10)
PATIENCE = 600.0  # seconds that one plan waits for those before it
LOOK_AGAIN = 0.1

# one whose row the run has tried is a contact, a row in doubt, or nothing any more
NOT_TRIED = """
select customer from reservations as r
where r.sync = :sync and not exists (
    select 1 from deliveries as d where d.sync = r.sync and d.key = r.key and d.run_id = r.run_id
)
"""
PLANNED = """
select key, customer from changes as c
where op = 'upsert' and not exists (
    select 1 from unsettled as u where u.key = c.key and u.status = 'in_doubt' and u.op = 'upsert'
)
"""


@contextmanager
def turn(ledger: Ledger, sync: Sync) -> Iterator[None]:
    """One plan at a time of the syncs that contact people; raises ``RetryLater`` after ten minutes of waiting."""
    if not sync.contact:
        yield
        return
    until = time.monotonic() + PATIENCE
    while True:
        try:
            ledger.locks.take("contacts", "turn")
            break
        except RetryLater:
            if time.monotonic() > until:
                what, cure = "other syncs that contact people are still being planned", "run it again"
                raise RetryLater(f"sync {sync.name}", what, cure) from None
        time.sleep(LOOK_AGAIN)
    try:
        yield
    finally:
        ledger.locks.release("contacts", "turn")


def under_way(case: Case, other: Sync) -> bool:
    """Whether a run of another sync may still make the contacts that it planned."""
    last = case.ledger.last_run(other.name)
    if last.get("outcome") != "running":
        return False
    young = last["started_at"].replace(tzinfo=UTC) > case.now - ON_THEIR_WAY
    locks = case.ledger.locks
    return young or locks.is_held(other.name, "tap") or locks.is_held(other.name, "target")


def reserve(case: Case) -> None:
    """Write the contacts that the run will make, in the place of those of the sync's run before."""
    sync, ledger = case.sync, case.ledger
    if not sync.contact:
        return
    run = ledger.last_run(sync.name)["run_id"]
    planned = case.connection.execute(PLANNED)
    with told(), ledger.engine.begin() as connection:
        connection.execute(delete(reservations).where(reservations.c.sync == sync.name))
        while some := planned.fetchmany(CHUNK):
            rows = [{"sync": sync.name, "key": key, "customer": who, "run_id": run} for key, who in some]
            connection.execute(reservations.insert(), rows)
