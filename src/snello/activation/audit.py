"""The audit log: who did what to whose data, in a chain of keyed hashes that shows any entry changed, dropped or moved.

An entry's hash covers the hash before it and all that the entry says. The seal speaks of the last entry, so that one
cut off at the end is missed as well. The database refuses to change or delete an entry; the chain tells where that was
got round. A subject is a keyed hash: no personal data.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, String, Table, delete, event, insert, select, text

from snello.activation.engine import told
from snello.activation.tables import metadata
from snello.errors import ConfigError
from snello.identifiers import hash_key

_LOCK = "select pg_advisory_xact_lock(hashtextextended('snello audit', 0))"

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False, comment="the moment in UTC, as text: part of what is hashed"),
    Column("actor", String, nullable=False, comment="the user of the system, or --author"),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False, comment="keyed hash of whom it is about; empty: nobody"),
    Column("details", String, nullable=False, comment="JSON: counts, codes and names of tables"),
    Column("previous", String, nullable=False, unique=True),
    Column("hash", String, nullable=False),
)

audit_seal = Table(
    "audit_seal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seal", String, nullable=False, comment="keyed hash of the last entry"),
)


def _refusing(verb: str, dialect: str) -> str:
    if dialect == "sqlite":
        abort = "begin select raise(abort, 'the audit log is append only'); end"
        return f"create trigger if not exists audit_no_{verb} before {verb} on audit {abort}"
    return f"create trigger audit_no_{verb} before {verb} on audit for each statement execute function audit_refuses()"


_REFUSES = (
    "create or replace function audit_refuses() returns trigger language plpgsql as "
    "$$ begin raise exception 'the audit log is append only'; end $$"
)
_GUARDS = {
    "postgresql": (_REFUSES, *(_refusing(verb, "postgresql") for verb in ("update", "delete", "truncate"))),
    "sqlite": tuple(_refusing(verb, "sqlite") for verb in ("update", "delete")),
}


@event.listens_for(audit, "after_create")
def _guard(_table: Table, connection: Connection, **_more: Any) -> None:
    for statement in _GUARDS[connection.dialect.name]:
        connection.exec_driver_sql(statement)


@dataclass(frozen=True)
class Entry:
    """One link of the chain."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    details: str
    previous: str
    hash: str

    def keyed(self, salt: str) -> str:
        """What the entry's hash must be."""
        said = {name: value for name, value in asdict(self).items() if name != "hash"}
        return _keyed(json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":")), salt)


@dataclass(frozen=True)
class Broken:
    """The first link that does not hold, and what is wrong with it."""

    seq: int
    what: str


def verify(entries: Iterable[Entry], seal: str | None, salt: str) -> Broken | None:
    """The first broken link of a chain in the order in which it is kept; None when all of it holds."""
    last, seq = "", 0
    for entry in entries:
        if entry.seq != seq + 1:
            return Broken(seq + 1, f"entry {seq + 1} is missing, {entry.seq} stands in its place")
        if entry.previous != last:
            return Broken(entry.seq, "it does not follow the entry before it")
        if entry.hash != entry.keyed(salt):
            return Broken(entry.seq, "it does not say what was written, or the salt is another")
        last, seq = entry.hash, entry.seq
    if (seal or "") != (_sealed(seq, last, salt) if seq else ""):
        return Broken(seq + 1, f"the log ends at entry {seq}, its seal speaks of another end")
    return None


class AuditLog:
    """The audit log of a ledger's database, keyed by the hub's salt."""

    def __init__(self, engine: Engine, salt: str) -> None:
        if not salt:
            raise ConfigError("setting salt", "it is empty: anybody could forge the audit log", "set SNELLO_SALT")
        self.engine, self.salt = engine, salt

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction for deeds and their entries; others who write wait, so that the chain never forks."""
        with told(), self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(text(_LOCK))
            else:
                connection.exec_driver_sql("begin immediate")
            yield connection

    def tell(
        self, connection: Connection, action: str, subject: str = "", actor: str | None = None, **details: Any
    ) -> Entry:
        """Add an entry within a transaction of ``writing``; ``details`` hold counts, codes and names of tables."""
        query = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
        before = connection.execute(query).one_or_none()
        seq, previous = (before.seq, before.hash) if before else (0, "")
        bare = Entry(
            seq + 1, datetime.now(UTC).isoformat(), actor or who(), action, subject, _json(details), previous, ""
        )
        entry = Entry(**{**asdict(bare), "hash": bare.keyed(self.salt)})
        connection.execute(insert(audit), asdict(entry))
        connection.execute(delete(audit_seal))
        connection.execute(insert(audit_seal), {"id": 1, "seal": _sealed(entry.seq, entry.hash, self.salt)})
        return entry

    def append(self, action: str, subject: str = "", actor: str | None = None, **details: Any) -> Entry:
        """Add an entry in a transaction of its own."""
        with self.writing() as connection:
            return self.tell(connection, action, subject, actor, **details)

    def entries(self, last: int | None = None) -> list[Entry]:
        """The entries, oldest first; with ``last``, that many of the newest."""
        query = select(*(audit.c[field.name] for field in fields(Entry))).order_by(audit.c.seq.desc())
        with told(), self.engine.connect() as connection:
            rows = connection.execute(query if last is None else query.limit(last)).mappings().all()
        return [Entry(**row) for row in reversed(rows)]

    def verify(self) -> Broken | None:
        """The first broken link; None when the log is whole."""
        with self.writing() as connection:  # nobody writes between the entries and their seal
            rows = connection.execute(select(audit).order_by(audit.c.seq)).mappings().all()
            seal = connection.execute(select(audit_seal.c.seal)).scalar()
        return verify((Entry(**row) for row in rows), seal, self.salt)


def who() -> str:
    """The user of the system, as the log names who did something."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _json(details: Mapping[str, Any]) -> str:
    return json.dumps(details, sort_keys=True, ensure_ascii=True, default=str)


def _sealed(seq: int, last: str, salt: str) -> str:
    return _keyed(f"seal {seq} {last}", salt)


def _keyed(said: str, salt: str) -> str:
    return str(hash_key(f"audit {said}", salt))
