"""Holdout: a share of the customers that is never contacted, so that others can be compared with them.

Who is held out follows from a keyed hash of the customer_id and the holdout's name: the same people in every sync that
names it, whoever else is in the audience, and more of them, never others, when the share grows. What was drawn is
recorded and stands: a smaller share lets nobody go, and a larger one takes nobody who was contacted since the holdout
began. The record is of the customer_id, so of two customers who become one the one that stays keeps its own.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Boolean, Column, DateTime, Float, String, Table
from sqlalchemy.dialects import postgresql, sqlite

from snello.activation.engine import told
from snello.activation.gates.case import Case, Gate
from snello.activation.tables import metadata

CODE = "holdout"

holdouts = Table(
    "holdouts",
    metadata,
    Column("name", String, primary_key=True),
    Column("customer", String, primary_key=True),
    Column("held_out", Boolean, nullable=False, comment="false: contacted before the share grew to take them"),
    Column("since", DateTime(timezone=True), nullable=False),
    sqlite_with_rowid=False,
)

holdout_shares = Table(
    "holdout_shares",
    metadata,
    Column("name", String, primary_key=True),
    Column("share", Float, primary_key=True),
    Column("sync", String, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
)

RECORDED = "select customer, case when held_out then 'yes' else 'no' end as held_out from holdouts where name = :sync"
SHARES = "select share, sync, since from holdout_shares where name = :sync"
# of the syncs of a holdout, who was sent anything since it began
CONTACTED = """
select distinct coalesce(receipts.customer, receipts.key) as customer
from receipts
inner join (select sync, min(since) as since from holdout_shares where name = :sync group by sync) as used
    on used.sync = receipts.sync and used.since <= receipts.at
where receipts.op = 'upsert' and receipts.status = 'delivered'
"""

DRAWN = """
create temp table drawn as
with hashed as (
    select
        customer,
        left(sha256(getvariable('salt') || ' holdout ' || getvariable('holdout') || ' ' || customer), 12) as place
    from (select distinct customer from unproven)
)
select
    hashed.customer, recorded.held_out is null as is_new,
    coalesce(
        recorded.held_out, case when place >= $least and contacted.customer is not null then 'no' else 'yes' end
    ) as held_out
from hashed
left join recorded using (customer)
left join contacted using (customer)
where recorded.held_out is not null or place < $share
"""


def gather(case: Case) -> None:
    """Leave ``recorded(customer, held_out)``: what was drawn by earlier runs."""
    if case.sync.holdout is not None:
        case.connection.register("recorded", case.told(RECORDED, _name(case)))


def kept_back(case: Case) -> str | None:
    """Members who are held out; what the channel holds of them goes."""
    if case.sync.holdout is None:
        return None
    connection, name = case.connection, _name(case)
    shares = case.told(SHARES, name)
    least = min([float(share) for share in shares["share"].to_pylist()], default=case.sync.holdout.share)
    grew = least < case.sync.holdout.share
    contacted = case.told(CONTACTED, name) if grew else case.told(RECORDED, "")
    connection.register("contacted", contacted)
    connection.execute("set variable holdout = $1", [name])
    given = {"least": _place(least), "share": _place(case.sync.holdout.share)}
    connection.execute(DRAWN, given)
    return (
        f"select key, customer, '{CODE}' as code, false as keep "
        "from unproven semi join (select customer from drawn where held_out = 'yes') using (customer)"
    )


def barred(case: Case) -> str | None:
    """Rows of people who are held out, also those held under the key of a customer whom they were before."""
    if case.sync.holdout is None:
        return None
    each = (f"select customer from {table} where held_out = 'yes'" for table in ("drawn", "recorded"))
    out = " union all ".join(each)
    return f"select key, '{CODE}' as code from leavers semi join ({out}) using (customer)"


def remember(case: Case) -> None:
    """Record who was drawn, and the share that it was drawn with."""
    if case.sync.holdout is None:
        return
    name, engine, now = _name(case), case.ledger.engine, datetime.now(UTC)
    rows = case.connection.execute(
        "select customer, held_out = 'yes' from drawn where is_new order by customer"
    ).fetchall()
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    share = {"name": name, "share": case.sync.holdout.share, "sync": case.sync.name, "since": now}
    with told(), engine.begin() as connection:
        connection.execute(insert(holdout_shares).on_conflict_do_nothing(), share)
        if rows:
            drawn = [{"name": name, "customer": who, "held_out": out, "since": now} for who, out in rows]
            connection.execute(insert(holdouts).on_conflict_do_nothing(), drawn)


def _name(case: Case) -> str:
    holdout = case.sync.holdout
    return (holdout.name if holdout else None) or case.sync.name


def _place(share: float) -> str:
    """A share as a place among hashes: as many hashes in a hundred are smaller as the share says."""
    return f"{round(share * 16**12):012x}"


GATE = Gate("holdout", kept_back, barred, remember)
