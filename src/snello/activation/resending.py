"""Sending a whole sync again, after its list was deleted in the channel: the ledger forgets what is held, not who.

The fingerprint of every row that the channel was given becomes ``?``: something is there, we do not know what. So the
next run sends each member anew, still removes who is to go, and sees neither growth nor loss in it. A row that waits
for its payload to change goes on waiting; one of somebody who is no member stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, select, update

from snello.activation.audit import AuditLog, who
from snello.activation.ledger import UNKNOWN, Ledger
from snello.activation.suppressions import NAMELESS
from snello.activation.sync import Sync
from snello.activation.tables import deliveries
from snello.errors import ConfigError

TWICE = "would reach people a second time"
CURE = "send one row again with `snello dead retry`, or give the sync another name: it then begins from nothing"


@dataclass(frozen=True)
class Resending:
    """Who asks for it and why; ``author``: default the user of the system."""

    reason: str
    author: str = ""


def resendable(sync: Sync) -> None:
    """Raise ``ConfigError`` for a sync whose rows are events, or count as contacts with people."""
    if sync.mode == "append":
        raise ConfigError(f"sync {sync.name}", f"its rows are events, and sending them again {TWICE}", CURE)
    if sync.contact:
        what = f"its rows count as contacts with people, and sending them again {TWICE}"
        raise ConfigError(f"sync {sync.name}", what, CURE)


def resendable_rows(ledger: Ledger, sync: str) -> int:
    """How many rows the channel holds, or may hold, by the ledger."""
    return int(ledger.asked(select(func.count().label("rows")).where(_given(sync)))[0]["rows"])


def resend(ledger: Ledger, salt: str, sync: Sync, asked: Resending) -> int:
    """Have the next run send every member again who was delivered before; how many rows that concerns at most.

    - one transaction with its entry in the audit log; nothing is written where nothing is held
    - raises ``ConfigError`` without a reason or for a sync that is not ``resendable``, ``RetryLater`` while it runs
    """
    resendable(sync)
    _check_reason(asked.reason)
    log = AuditLog(ledger.engine, salt)
    with _alone(ledger, sync.name), log.writing() as connection:
        delivered = deliveries.c.status == "delivered"
        values = {
            "fingerprint": UNKNOWN,
            # a payload that waits for a change is told by what was tried
            "tried": case((delivered, None), else_=deliveries.c.tried),
        }
        rows = connection.execute(update(deliveries).where(_given(sync.name)).values(values)).rowcount
        if rows:
            log.tell(connection, "resend", actor=asked.author or who(), sync=sync.name, rows=rows, reason=asked.reason)
    return rows


def _given(sync: str) -> ColumnElement[bool]:
    return and_(deliveries.c.sync == sync, deliveries.c.op == "upsert", deliveries.c.fingerprint.is_not(None))


@contextmanager
def _alone(ledger: Ledger, sync: str) -> Iterator[None]:
    ledger.locks.take(sync, "tap")
    ledger.locks.check_free(sync, "target")
    try:
        yield
    finally:
        ledger.locks.release(sync, "tap")


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ConfigError("sync resend", "a decision without a reason cannot be understood later", "give --reason")
    if "@" in reason:
        raise ConfigError("sync resend --reason", "it names an address, and the audit log keeps it", NAMELESS)
