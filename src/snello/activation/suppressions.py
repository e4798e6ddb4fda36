"""What was suppressed by hand: whom a channel must not be sent, who said so and why, and who took it back.

The table ``suppressions`` holds what is in force; ``suppression_decisions`` every decision of a person, append only. An
address stands as its keyed hash alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, DateTime, String, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from snello.activation.audit import AuditLog
from snello.activation.engine import told
from snello.activation.ledger import Ledger
from snello.activation.tables import _serial, metadata, suppressions
from snello.errors import ConfigError
from snello.identifiers import hash_key, normalise_email, normalise_phone
from snello.lake.tombstones import MARK

MANUAL, UNSUBSCRIBED = "manual", "unsubscribed"
NAMELESS = "write a ticket's number, or what was said without the name"

decisions = Table(
    "suppression_decisions",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("action", String, nullable=False, comment="suppress or lift"),
    Column("kind", String, nullable=False, comment="customer or address"),
    Column("value", String, nullable=False, comment="a customer_id, or the keyed hash of an address"),
    Column("channel", String, nullable=False, comment="any: all of them"),
    Column("reason", String, nullable=False),
    Column("author", String, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

LIFTS = (
    "select kind, value, channel, max(at) as at from suppression_decisions where action = 'lift' "
    "and channel in (:sync, 'any') group by kind, value, channel"
)


@dataclass(frozen=True)
class Subject:
    """Whom an entry is about: a ``customer`` by id, or an ``address`` by its keyed hash."""

    kind: str
    value: str

    @classmethod
    def address(cls, text: str, salt: str) -> Subject | None:
        """The subject of an e-mail address or a telephone number; None when the text is neither."""
        found = address_hash(text, salt)
        return cls("address", found) if found else None


@dataclass(frozen=True)
class Decision:
    """Who decides what about a channel, and why."""

    channel: str
    reason: str
    author: str


def address_hash(text: str, salt: str) -> str | None:
    """The keyed hash under which an address is suppressed; None when it is neither an e-mail address nor a number."""
    return hash_key(normalise_email(text) if "@" in text else normalise_phone(text, "IT"), salt)


def mark_of(salt: str) -> str:
    """What an address entered under this salt is marked with: under another one its hash would be nobody's."""
    return str(hash_key(MARK, salt))


def check_salt(ledger: Ledger, salt: str) -> None:
    """Raise ``ConfigError`` where addresses were suppressed under another salt: they would be written to again."""
    others = suppressions.c.salt_mark.is_not(None) & (suppressions.c.salt_mark != mark_of(salt))
    with told(), ledger.engine.connect() as connection:
        found = connection.execute(select(suppressions.c.kind).where(others).limit(1)).first()
    if found:
        what = "addresses were suppressed under another salt, and would be nobody's under this one"
        raise ConfigError("setting salt", what, "set SNELLO_SALT to what it was")


def enter(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Enter a row of ``suppressions``; False when the list says as much already.

    An unsubscription is of marketing alone, so every other reason takes its place.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(suppressions).values(**row)
    weaker = (suppressions.c.reason == UNSUBSCRIBED) & (statement.excluded.reason != UNSUBSCRIBED)
    graver = {name: statement.excluded[name] for name in ("reason", "source", "at")}
    keys = ["kind", "value", "channel"]
    statement = statement.on_conflict_do_update(index_elements=keys, set_=graver, where=weaker)
    # the rows themselves: PostgreSQL's driver counts none for an INSERT
    return connection.execute(statement.returning(suppressions.c.kind)).first() is not None


class Suppressions:
    """The list of a ledger, keyed by the hub's salt."""

    def __init__(self, ledger: Ledger, salt: str) -> None:
        self._ledger, self._log = ledger, AuditLog(ledger.engine, salt)
        self._salt = salt

    def suppress(self, who: Subject, said: Decision) -> bool:
        """Enter a subject; False when it is on the list of that channel already."""
        check_salt(self._ledger, self._salt)
        row = {"kind": who.kind, "value": who.value, "channel": said.channel, "reason": MANUAL}
        mark = mark_of(self._salt) if who.kind == "address" else None
        with self._log.writing() as connection:
            entered = enter(connection, {**row, "source": said.author, "at": datetime.now(UTC), "salt_mark": mark})
            self._tell(connection, "suppress", who, said)
        return entered

    def lift(self, who: Subject, said: Decision) -> int:
        """Take a subject off the list, of one channel or of all (``any``); how many entries of the ledger ended.

        What sources told before now counts no more either; what they tell later does.
        """
        check_salt(self._ledger, self._salt)
        mine = delete(suppressions).where(suppressions.c.kind == who.kind, suppressions.c.value == who.value)
        mine = mine if said.channel == "any" else mine.where(suppressions.c.channel == said.channel)
        with self._log.writing() as connection:
            ended = connection.execute(mine).rowcount
            self._tell(connection, "lift", who, said)
        return ended

    def listed(self) -> list[dict[str, Any]]:
        """Every entry in force, newest first, with the reason that its author gave last."""
        with told(), self._ledger.engine.connect() as connection:
            rows = connection.execute(select(suppressions).order_by(suppressions.c.at.desc())).mappings().all()
            said = connection.execute(select(decisions).order_by(decisions.c.id)).mappings().all()
        words = {_name(one): one["reason"] for one in said if one["action"] == "suppress"}
        return [{**row, "why": words.get(_name(row), "")} for row in rows]

    def _tell(self, connection: Any, action: str, who: Subject, said: Decision) -> None:
        if not said.reason.strip():
            raise ConfigError("suppress", "a decision without a reason cannot be understood later", "give --reason")
        if "@" in said.reason:
            raise ConfigError("suppress --reason", "it names an address, and the ledger keeps it", NAMELESS)
        row = {"kind": who.kind, "value": who.value, "channel": said.channel}
        given = {"reason": said.reason.strip(), "author": said.author, "at": datetime.now(UTC)}
        connection.execute(decisions.insert(), {"action": action, **row, **given})
        subject = who.value if who.kind == "address" else str(hash_key(who.value, self._salt))
        self._log.tell(connection, action, subject, said.author, channel=said.channel)


def _name(row: Any) -> tuple[str, ...]:
    return row["kind"], row["value"], row["channel"]
