"""The ledger's tables. No personal data: a key is a customer_id, a fingerprint a salted hash.

- ``deliveries``, one row a sync and key: what the channel holds and how the last attempt ended
- ``receipts``, one row a change and outcome, append only
- ``runs``, one row a run and sync
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, String, Table

metadata = MetaData()
_serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in an INTEGER key
_moment = DateTime(timezone=True)  # UTC, in both engines

deliveries = Table(
    "deliveries",
    metadata,
    Column("sync", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("fingerprint", String, comment="what the channel holds; null: nothing; ?: something, we do not know what"),
    Column("tried", String, comment="fingerprint of the last attempt"),
    Column("status", String, nullable=False, comment="delivered refused retrying dead suppressed in_doubt"),
    Column("op", String, nullable=False, comment="upsert or remove"),
    Column("code", String, nullable=False, default=""),
    Column("attempt", Integer, nullable=False, default=0, comment="attempts since the last success"),
    Column("batch", String, comment="idempotency key of an attempt without a final outcome"),
    Column("remote_id", String, comment="the channel's own number of the row, where it gave one"),
    Column("run_id", String, nullable=False),
    Column("updated_at", _moment, nullable=False),
    sqlite_with_rowid=False,  # read in key order, a million rows at a time
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("run_id", String, nullable=False),
    Column("sync", String, nullable=False),
    Column("key", String, nullable=False),
    Column("op", String, nullable=False),
    Column("status", String, nullable=False),
    Column("code", String, nullable=False, default=""),
    Column("reason", String, nullable=False, default=""),
    Column("attempt", Integer, nullable=False, default=0),
    Column("fingerprint", String),
    Column("at", _moment, nullable=False),
    Index("receipts_of_a_key", "sync", "key"),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("sync", String, primary_key=True),
    Column("started_at", _moment, nullable=False),
    Column("finished_at", _moment),
    Column("outcome", String, nullable=False),
    Column("upserts", Integer, nullable=False, default=0),
    Column("removals", Integer, nullable=False, default=0),
    Column("unchanged", Integer, nullable=False, default=0),
    Column("suppressed", Integer, nullable=False, default=0),
    Column("refused", Integer, nullable=False, default=0),
    Column("message", String, nullable=False, default=""),
)
