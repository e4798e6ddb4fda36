"""Erasures: who is to be forgotten, step by step, so that one that was killed or refused anywhere goes on where it was.

An erasure, its tombstones, the rows that channels hold of the person and the entry in the audit log are written in one
transaction; so is what became of each step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, DateTime, Integer, String, Table, insert, or_, select, update

from snello.activation.audit import AuditLog
from snello.activation.engine import told
from snello.activation.ledger import UNKNOWN, Ledger
from snello.activation.prints import forget
from snello.activation.tables import deliveries, metadata, receipts
from snello.activation.tombstones import Tombstone, bury, erased_keys, tombstones
from snello.errors import ConfigError
from snello.identifiers import hash_key

DONE, PENDING, FAILED, WAITING = "done", "pending", "failed", "waiting"
_MANY = 500

erasures = Table(
    "erasures",
    metadata,
    Column("erasure", String, primary_key=True),
    Column("subject", String, nullable=False, comment="keyed hash of whom it is about"),
    Column("customers", String, nullable=False, comment="JSON: the customer_ids, which name nobody any more"),
    Column("actor", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True), comment="when the last step was done"),
)

erasure_steps = Table(
    "erasure_steps",
    metadata,
    Column("erasure", String, primary_key=True),
    Column("step", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("status", String, nullable=False, comment="pending done failed waiting"),
    Column("due", DateTime(timezone=True), comment="not before"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("rows", Integer, nullable=False, default=0),
    Column("message", String, nullable=False, default=""),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True)
class Step:
    """A part of an erasure; ``due``: not before that moment; ``at``: when it was last written."""

    name: str
    status: str = PENDING
    due: datetime | None = None
    attempts: int = 0
    rows: int = 0
    message: str = ""
    at: datetime | None = None

    def ready(self, now: datetime) -> bool:
        """Whether it is to be tried."""
        return self.status != DONE and (self.due is None or self.due <= now)


@dataclass(frozen=True)
class Erasure:
    """One request to be forgotten and how far it has come."""

    erasure: str
    subject: str
    customers: tuple[str, ...]
    actor: str
    reason: str
    requested_at: datetime
    finished_at: datetime | None
    steps: tuple[Step, ...] = ()

    @property
    def open_now(self) -> bool:
        """Whether something failed or was not tried yet, beside what waits for its day."""
        return any(step.status in (PENDING, FAILED) for step in self.steps)


class Erasures:
    """The erasures of a ledger."""

    def __init__(self, ledger: Ledger, salt: str) -> None:
        self.ledger, self.salt = ledger, salt
        self.log = AuditLog(ledger.engine, salt)

    def begin(self, asked: Erasure, stones: Iterable[Tombstone], **details: Any) -> Erasure:
        """Write an erasure, its steps, its tombstones and what channels hold of the person, audited."""
        with self.log.writing() as connection:
            row = {name: getattr(asked, name) for name in ("erasure", "subject", "actor", "reason", "requested_at")}
            connection.execute(insert(erasures), {**row, "customers": json.dumps(asked.customers)})
            for position, step in enumerate(asked.steps):
                connection.execute(insert(erasure_steps), _row(asked.erasure, step) | {"position": position})
            bury(connection, stones, asked.erasure, asked.requested_at, self.salt)
            keys = self._note_keys(connection, asked)
            self.log.tell(
                connection, "erase", asked.subject, asked.actor, erasure=asked.erasure, channel_rows=keys, **details
            )
        return asked

    def note_keys(self, erasure: Erasure) -> int:
        """Take in what was delivered since the erasure began; how many rows of channels it speaks of."""
        with told(), self.ledger.engine.begin() as connection:
            return self._note_keys(connection, erasure)

    def ended(self, erasure: str, step: Step) -> None:
        """Write what became of a step, with an entry in the log; the last one closes the erasure."""
        now = datetime.now(UTC)
        forget(self.ledger.engine)
        with self.log.writing() as connection:
            mine = (erasure_steps.c.erasure == erasure) & (erasure_steps.c.step == step.name)
            connection.execute(update(erasure_steps).where(mine).values(_row(erasure, step)))
            left = select(erasure_steps.c.step).where(
                erasure_steps.c.erasure == erasure, erasure_steps.c.status != DONE
            )
            subject = select(erasures.c.subject).where(erasures.c.erasure == erasure)
            whom = str(connection.execute(subject).scalar_one())
            said: dict[str, Any] = {"erasure": erasure, "step": step.name, "rows": step.rows}
            self.log.tell(connection, f"erase step {step.status}", whom, **said)
            if connection.execute(left).first() is None:
                connection.execute(update(erasures).where(erasures.c.erasure == erasure).values(finished_at=now))

    def add_step(self, erasure: str, step: Step) -> None:
        """A further step at the end; one of that name that is there stays."""
        with self.log.writing() as connection:
            there = select(erasure_steps.c.step).where(
                erasure_steps.c.erasure == erasure, erasure_steps.c.step == step.name
            )
            if connection.execute(there).first() is None:
                connection.execute(insert(erasure_steps), _row(erasure, step) | {"position": 1_000})

    def all(self, unfinished: bool = False) -> list[Erasure]:
        """Every erasure with its steps, oldest first; with ``unfinished`` those that are not done."""
        query = select(erasures).order_by(erasures.c.requested_at, erasures.c.erasure)
        if unfinished:
            query = query.where(erasures.c.finished_at.is_(None))
        with told(), self.ledger.engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
            steps = connection.execute(select(erasure_steps).order_by(erasure_steps.c.position)).mappings().all()
        return [_read(row, [_step(dict(step)) for step in steps if step["erasure"] == row["erasure"]]) for row in rows]

    def get(self, erasure: str) -> Erasure:
        """One erasure as it stands now."""
        return next(one for one in self.all() if one.erasure == erasure)

    def of_stones(self, stones: Sequence[Tombstone]) -> list[Erasure]:
        """The erasures that left any of these tombstones."""
        hashes = [stone.hash for stone in stones]
        with told(), self.ledger.engine.connect() as connection:
            found = {
                str(row.erasure)
                for start in range(0, len(hashes), _MANY)
                for row in connection.execute(
                    select(tombstones.c.erasure).where(tombstones.c.hash.in_(hashes[start : start + _MANY]))
                )
            }
        return [one for one in self.all() if one.erasure in found]

    def check_salt(self) -> None:
        """Raise ``ConfigError`` where people were erased under another salt: their tombstones would be nobody's."""
        mark = hash_key("snello", self.salt)
        with told(), self.ledger.engine.connect() as connection:
            others = connection.execute(
                select(tombstones.c.kind).where(tombstones.c.salt_mark != mark).limit(1)
            ).first()
        if others:
            raise ConfigError("setting salt", "people were erased under another salt", "set SNELLO_SALT to what it was")

    def holding(self, customers: Sequence[str]) -> dict[str, int]:
        """How many rows each sync's channel holds, or may hold, of some customers."""
        query = select(deliveries.c.sync).where(_theirs(customers), _held())
        counts: dict[str, int] = {}
        with told(), self.ledger.engine.connect() as connection:
            for (sync,) in connection.execute(query):
                counts[sync] = counts.get(sync, 0) + 1
        return dict(sorted(counts.items()))

    def _note_keys(self, connection: Connection, erasure: Erasure) -> int:
        """The rows that channels have, or ever had, of the person.

        One that was delivered and removed since may still be known there, off the list: once, it counts as held again.
        """
        query = select(deliveries.c.sync, deliveries.c.key).where(_theirs(erasure.customers))
        found = connection.execute(query).all()
        noted = select(erased_keys.c.sync, erased_keys.c.key).where(erased_keys.c.key.in_([key for _, key in found]))
        known = set(connection.execute(noted).tuples())
        for sync, key in found:
            if (sync, key) in known:
                continue
            connection.execute(insert(erased_keys), {"sync": sync, "key": key, "erasure": erasure.erasure})
            row = (deliveries.c.sync == sync) & (deliveries.c.key == key) & deliveries.c.fingerprint.is_(None)
            once = select(receipts.c.id).where(
                receipts.c.sync == sync,
                receipts.c.key == key,
                receipts.c.op == "upsert",
                receipts.c.status == "delivered",
            )
            connection.execute(update(deliveries).where(row, once.exists()).values(fingerprint=UNKNOWN))
        return len(found)


def _theirs(customers: Sequence[str]) -> Any:
    return or_(deliveries.c.customer.in_(customers), deliveries.c.customer.is_(None) & deliveries.c.key.in_(customers))


def _held() -> Any:
    """Rows with a fingerprint, and such whose last try has no outcome: the channel may have taken them."""
    return or_(deliveries.c.fingerprint.is_not(None), deliveries.c.status.in_(("in_doubt", "retrying")))


def _row(erasure: str, step: Step) -> dict[str, Any]:
    return {
        "erasure": erasure,
        "step": step.name,
        "status": step.status,
        "due": step.due,
        "attempts": step.attempts,
        "rows": step.rows,
        "message": step.message,
        "updated_at": datetime.now(UTC),
    }


def _step(row: dict[str, Any]) -> Step:
    rest = (row["attempts"], row["rows"], row["message"], _aware(row["updated_at"]))
    return Step(row["step"], row["status"], _aware(row["due"]), *rest)


def _read(row: dict[str, Any], steps: Sequence[Step]) -> Erasure:
    return Erasure(
        erasure=row["erasure"],
        subject=row["subject"],
        customers=tuple(json.loads(row["customers"])),
        actor=row["actor"],
        reason=row["reason"],
        requested_at=row["requested_at"].replace(tzinfo=UTC)
        if row["requested_at"].tzinfo is None
        else row["requested_at"],
        finished_at=_aware(row["finished_at"]),
        steps=tuple(steps),
    )


def _aware(moment: datetime | None) -> datetime | None:
    """SQLite forgets that its moments are UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
