"""The ledger's half of a session that replaces the whole: rows are noted aside until the channel has taken all of them.

The table aside is the connection's own and gone with the process; ``deliveries`` does not change before ``doubt``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Engine, text

from snello.activation.engine import told

ASIDE = """
create temp table aside (
    key text primary key, fingerprint text, customer text, status text, code text, remote_id text, handles text
)
"""
NOTED = """
insert into aside values (:key, :fingerprint, :customer, :status, :code, :remote_id, :handles)
on conflict (key) do update set fingerprint = excluded.fingerprint, customer = excluded.customer,
    status = excluded.status, code = excluded.code, remote_id = excluded.remote_id, handles = excluded.handles
"""
COMING = """
insert into deliveries (sync, key, tried, status, op, code, attempt, batch, run_id, customer, handles, updated_at)
select :sync, a.key, a.fingerprint, 'in_doubt', 'upsert', '', 1, :batch, :run_id, a.customer, a.handles, :now
from aside as a
left join deliveries as d on d.sync = :sync and d.key = a.key
where a.status = 'delivered'
    and not coalesce(d.status = 'delivered' and d.op = 'upsert' and d.fingerprint = a.fingerprint, false)
on conflict (sync, key) do update set tried = excluded.tried, status = 'in_doubt', op = 'upsert', code = '',
    attempt = 1, batch = excluded.batch, run_id = excluded.run_id, updated_at = excluded.updated_at,
    handles = trim(coalesce(deliveries.handles, '') || ' ' || coalesce(excluded.handles, ''))
"""
GOING = """
update deliveries set tried = null, status = 'in_doubt', op = 'remove', code = '', attempt = 1, batch = :batch,
    run_id = :run_id, updated_at = :now
where sync = :sync and (fingerprint is not null or status in ('in_doubt', 'retrying'))
    and key not in (select key from aside where status = 'delivered')
"""
UNMARKED = "delete from marks where sync = :sync"
MINE = "sync = :sync and batch = :batch"
TURNED_AWAY = f"""
update deliveries set batch = null where {MINE} and op = 'upsert'
    and key in (select key from aside where status <> 'delivered')
"""
PROOFS = f"""
insert into receipts (run_id, sync, key, op, status, code, reason, attempt, fingerprint, customer, at)
select run_id, sync, key, op, 'delivered', '', case op when 'remove' then 'left_audience' else '' end, 1, tried,
    customer, :now
from deliveries where {MINE}
"""
CONTACTS = f"""
insert into contacts (customer, channel, sync, key, at)
select coalesce(customer, key), :channel, sync, key, :now from deliveries where {MINE} and op = 'upsert'
"""
SETTLED = f"""
update deliveries set fingerprint = tried, status = 'delivered', batch = null, updated_at = :now,
    remote_id = coalesce((select remote_id from aside where aside.key = deliveries.key), remote_id),
    handles = (select handles from aside where aside.key = deliveries.key)
where {MINE}
"""
LEFT_OUT = """
insert into deliveries (sync, key, tried, status, op, code, attempt, run_id, customer, updated_at)
select :sync, key, fingerprint, status, 'upsert', code, 1, :run_id, customer, :now from aside
where status <> 'delivered'
on conflict (sync, key) do update set fingerprint = null, tried = excluded.tried, status = excluded.status,
    op = 'upsert', code = excluded.code, attempt = 1, batch = null, run_id = excluded.run_id,
    updated_at = excluded.updated_at
"""
JUDGED = """
update aside set status = :status, code = :code, remote_id = coalesce(:remote_id, remote_id) where key = :key
"""
REFUSALS = """
insert into receipts (run_id, sync, key, op, status, code, reason, attempt, fingerprint, customer, at)
select :run_id, :sync, key, 'upsert', status, code, '', 1, fingerprint, customer, :now from aside
where status <> 'delivered'
"""


class Noted(NamedTuple):
    """A row of the session."""

    key: str
    fingerprint: str | None
    customer: str | None
    status: str
    code: str
    remote_id: str | None
    handles: str | None = None


class Aside:
    """The rows of one session, as many as there may be, and what becomes of them in the ledger."""

    def __init__(self, engine: Engine, sync: str, run_id: str) -> None:
        self._postgresql = engine.dialect.name == "postgresql"
        self._given = {"sync": sync, "run_id": run_id, "batch": f"session-{uuid4().hex[:12]}"}
        with told():
            self._connection: Connection = engine.connect()
            self._connection.execute(text(ASIDE))
            self._connection.commit()

    def note(self, rows: Sequence[Noted]) -> None:
        """What the channel said of some rows."""
        if rows:
            with told(), self._connection.begin():
                self._connection.execute(text(NOTED), [row._asdict() for row in rows])

    def doubt(self) -> None:
        """Before the session is closed: whatever it changes is in doubt until ``settle``.

        Marks are made anew of what rows are known by, should they be needed.
        """
        with told(), self._connection.begin():
            for statement in (COMING, GOING, UNMARKED):
                self._run(statement)

    def judge(self, rows: Sequence[Noted]) -> None:
        """What the channel said of some rows as it closed the session."""
        if rows:
            with told(), self._connection.begin():
                self._connection.execute(text(JUDGED), [row._asdict() for row in rows])

    def settle(self, channel: str | None) -> dict[str, int]:
        """After it: the channel holds these rows and no others of ours; how many came and went, by ``op``.

        - a receipt for each row that is new, other or gone; those that were held as they are need none
        - ``channel``: on which the delivered rows count as contacts, None when they do not
        """
        with told(), self._connection.begin():
            self._run(TURNED_AWAY)
            self._run(PROOFS)
            if channel is not None:
                self._run(CONTACTS, channel=channel)
            done = {op: self._count(op) for op in ("upsert", "remove")}
            for statement in (SETTLED, REFUSALS, LEFT_OUT):
                self._run(statement)
        return done

    def close(self) -> None:
        """Let go of the rows."""
        with told():
            self._connection.execute(text("drop table aside"))
            self._connection.commit()
            self._connection.close()

    def _run(self, statement: str, **more: Any) -> None:
        now = datetime.now(UTC)
        moment = now if self._postgresql else now.strftime("%Y-%m-%d %H:%M:%S.%f")
        self._connection.execute(text(statement), {**self._given, "now": moment, **more})

    def _count(self, op: str) -> int:
        query = f"select count(*) from deliveries where {MINE} and op = :op"
        return int(self._connection.execute(text(query), {**self._given, "op": op}).scalar_one())
