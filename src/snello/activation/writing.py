"""Many batches' intents and outcomes in one transaction, without a detour over a dictionary a row.

What a delivery writes for every row of an audience goes to the driver as plain tuples; a batch that the channel took as
it was meant is settled by its keys alone, as a set. ``Ledger`` says the same in the words of single rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine

from snello.activation.engine import told

LOOKED_UP = (
    "key",
    "fingerprint",
    "tried",
    "status",
    "op",
    "code",
    "attempt",
    "batch",
    "remote_id",
    "run_id",
    "handles",
)


class Entry(NamedTuple):
    """A row of ``deliveries``, but for the moment."""

    sync: str
    key: str
    fingerprint: str | None
    tried: str | None
    status: str
    op: str
    code: str
    attempt: int
    batch: str | None
    remote_id: str | None
    run_id: str
    customer: str | None
    handles: str | None = None


class Proof(NamedTuple):
    """A row of ``receipts``, but for the moment."""

    run_id: str
    sync: str
    key: str
    op: str
    status: str
    code: str
    reason: str
    attempt: int
    fingerprint: str | None
    customer: str | None


class Contact(NamedTuple):
    """A row of ``contacts``, but for the moment."""

    customer: str
    channel: str
    sync: str
    key: str


class Mark(NamedTuple):
    """A row of ``marks``: by what a channel alone may know a row, and whether that is about to be taken back."""

    sync: str
    mark: str
    key: str
    state: str


class Intent(NamedTuple):
    """First tries at upserts that go out under one idempotency key: fingerprints by key."""

    run_id: str
    batch: str
    tried: dict[str, str]


@dataclass
class Page:
    """What one transaction writes.

    - ``intents`` leave alone what the ledger says of what is held; ``entries`` replace rows
    - ``taken``: keys in doubt that the channel took as it was meant to, with nothing to add
    - ``gone``: keys whose rows are no more, for the channel holds them under another
    - ``unmarked``: marks and keys that are no more, before ``marks`` are written
    """

    intents: list[Intent] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    unmarked: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        rows = self.intents or self.entries or self.taken or self.gone
        return bool(rows or self.proofs or self.contacts or self.marks or self.unmarked)


class Pen:
    """Reads and writes a sync's rows in bulk, on SQLite and PostgreSQL."""

    def __init__(self, engine: Engine, sync: str) -> None:
        self.engine, self.sync = engine, sync
        self._postgresql = engine.dialect.name == "postgresql"

    def look(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The rows of these keys, by key. Raises ``RetryLater``."""
        sql = f"select {', '.join(LOOKED_UP)} from deliveries where sync = {self.mark} and key {self.among}"
        with told(), self.engine.connect() as connection:
            found = connection.exec_driver_sql(sql, (self.sync, self.listed(list(keys)))).fetchall()
        return {row[0]: dict(zip(LOOKED_UP, row, strict=True)) for row in found}

    def write(self, page: Page) -> None:
        """All of the page, or nothing of it. Raises ``RetryLater`` when the ledger does not take it."""
        if not page:
            return
        with told(), self.engine.begin() as connection:
            now = self._now()
            if page.taken:
                self._settle(connection, page.taken, now)
            for intent in page.intents:
                pairs = self._pairs(intent.tried)
                connection.exec_driver_sql(self._intending, (self.sync, intent.batch, intent.run_id, now, *pairs))
            self._many(connection, self._replacing, page.entries, now)
            self._many(connection, self._inserting("receipts", Proof._fields), page.proofs, now)
            self._many(connection, self._inserting("contacts", Contact._fields), page.contacts, now)
            self.remember(connection, page)
            if page.gone:
                sql = f"delete from deliveries where sync = {self.mark} and key {self.among}"
                connection.exec_driver_sql(sql, (self.sync, self.listed(page.gone)))

    def remember(self, connection: Connection, page: Page) -> None:
        """Write whose identifiers are whose; one that was left there for a row's sake stays known as such."""
        m = self.mark
        if page.unmarked:
            sql = f"delete from marks where sync = {m} and mark = {m} and key = {m}"
            connection.exec_driver_sql(sql, [(self.sync, *each) for each in page.unmarked])
        if page.marks:
            stays = "marks.state = 'kept' and excluded.state = 'held'"
            sql = (
                f"insert into marks (sync, mark, key, state) values ({self._marks(4)}) on conflict (sync, mark, key) "
                f"do update set state = case when {stays} then 'kept' else excluded.state end"
            )
            connection.exec_driver_sql(sql, page.marks)

    def _settle(self, connection: Connection, keys: list[str], now: Any) -> None:
        """The channel holds what was tried, with a receipt a row; as two statements, however many rows."""
        given = (now, self.sync, self.listed(keys))
        where = f"where sync = {self.mark} and key {self.among}"
        connection.exec_driver_sql(
            "update deliveries set fingerprint = tried, status = 'delivered', code = '', batch = null, "
            f"updated_at = {self.mark} {where}",
            given,
        )
        connection.exec_driver_sql(
            "insert into receipts (run_id, sync, key, op, status, code, reason, attempt, fingerprint, customer, at) "
            "select run_id, sync, key, op, status, '', '', attempt, tried, customer, "
            f"{self.mark}{'::timestamptz' if self._postgresql else ''} from deliveries {where}",
            given,
        )

    def _many(self, connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]], now: Any) -> None:
        if rows:
            connection.exec_driver_sql(sql, [(*row, now) for row in rows])

    @cached_property
    def _intending(self) -> str:
        """One statement a batch, however many rows."""
        m = self.mark
        moment, pairs = (
            (f"{m}::timestamptz", "unnest(%s::text[], %s::text[])") if self._postgresql else (m, "json_each(?)")
        )
        tried = "tried = excluded.tried, status = 'in_doubt', op = 'upsert', code = '', attempt = 1"
        return (
            "insert into deliveries (sync, status, op, code, attempt, batch, run_id, updated_at, key, tried) "
            f"select {m}, 'in_doubt', 'upsert', '', 1, {m}, {m}, {moment}, pair.key, pair.value "
            f"from {pairs} as pair{'(key, value)' if self._postgresql else ''} where true "
            f"on conflict (sync, key) do update set {tried}, "
            "batch = excluded.batch, run_id = excluded.run_id, updated_at = excluded.updated_at"
        )

    @cached_property
    def _replacing(self) -> str:
        rest = ", ".join(f"{name} = excluded.{name}" for name in (*Entry._fields[2:], "updated_at"))
        marks = self._marks(len(Entry._fields) + 1)
        columns = ", ".join((*Entry._fields, "updated_at"))
        return f"insert into deliveries ({columns}) values ({marks}) on conflict (sync, key) do update set {rest}"

    def _inserting(self, table: str, fields: tuple[str, ...]) -> str:
        return f"insert into {table} ({', '.join((*fields, 'at'))}) values ({self._marks(len(fields) + 1)})"

    @property
    def mark(self) -> str:
        """A parameter's place in a statement."""
        return "%s" if self._postgresql else "?"

    @property
    def among(self) -> str:
        """The condition that a text is one of those in ``listed``, the parameter that follows."""
        return "= any(%s)" if self._postgresql else "in (select value from json_each(?))"

    def _marks(self, many: int) -> str:
        return ", ".join([self.mark] * many)

    def listed(self, keys: list[str]) -> Any:
        """Texts as one parameter."""
        return keys if self._postgresql else _json(keys)

    def _pairs(self, pairs: dict[str, str]) -> tuple[Any, ...]:
        return (list(pairs), list(pairs.values())) if self._postgresql else (_json(pairs),)

    def _now(self) -> Any:
        """The moment as SQLAlchemy stores it: SQLite has no type for it but text."""
        now = datetime.now(UTC)
        return now if self._postgresql else now.strftime("%Y-%m-%d %H:%M:%S.%f")


def _json(given: list[str] | dict[str, str]) -> str:
    return msgspec.json.encode(given).decode()
